"""The user backends that there are, by the scheme of ``AUTH_USERS``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from buttress.auth.attempts.memory import MemoryAttempts
from buttress.auth.resets.memory import MemoryResets
from buttress.auth.tokens.memory import MemoryTokens
from buttress.auth.users.memory import MemoryUsers
from buttress.errors import ConfigError, ExtensionError

if TYPE_CHECKING:
    from buttress.auth.attempts import Attempts
    from buttress.auth.passwords import Passwords
    from buttress.auth.resets import Resets
    from buttress.auth.settings import AuthSettings
    from buttress.auth.tokens import Tokens
    from buttress.auth.users import Users
    from buttress.config import Settings
    from buttress.db import Database, Location

SCHEMES = ("sql", "memory", "ldap", "ldaps", "https", "http")


def scheme_of(settings: AuthSettings, has_database: bool) -> str:
    """Give the scheme of the backend that the settings mean. Raises `ConfigError`."""
    if settings.users is None:
        return "sql" if has_database else "memory"
    scheme = settings.users.reveal().partition(":")[0].lower()
    if scheme not in SCHEMES:
        known = ", ".join(f"{it}:" for it in SCHEMES)
        raise ConfigError(
            [f"AUTH_USERS names no user backend (its value is not shown): begin it with {known}."]
        )
    return scheme


def users_of(
    settings: AuthSettings, more: Settings, database: Database | None, passwords: Passwords
) -> Users:
    """Make the user backend that the settings mean; nothing is contacted.

    ``more`` has the sections of the backends.

    Raises `ConfigError` for one that is unknown, and `ExtensionError` where something is missing.
    """
    scheme = scheme_of(settings, database is not None)
    if scheme == "memory":
        return MemoryUsers(passwords)
    if scheme == "sql":
        if database is None:
            raise ExtensionError(
                "auth", "AUTH_USERS=sql: needs the extension 'db': add it to extensions=[…]."
            )
        return cast("Users", _load("users.sql").SqlUsers(database, passwords))
    return cast("Users", _elsewhere(settings, scheme, more))


def tokens_of(database: Database | None) -> Tokens:
    """Make the store of tokens: in the database where there is one."""
    if database is None:
        return MemoryTokens()
    return cast("Tokens", _load("tokens.sql").SqlTokens(database))


def attempts_of(database: Database | None) -> Attempts:
    """Make the store of attempts: in the database where there is one."""
    if database is None:
        return MemoryAttempts()
    return cast("Attempts", _load("attempts.sql").SqlAttempts(database))


def resets_of(database: Database | None) -> Resets:
    """Make the store of reset codes: in the database where there is one."""
    if database is None:
        return MemoryResets()
    return cast("Resets", _load("resets.sql").SqlResets(database))


def location() -> Location:
    """Give where the migrations of the tables are."""
    return cast("Location", _load("tables").LOCATION)


def _elsewhere(settings: AuthSettings, scheme: str, more: Settings) -> Any:
    url = settings.users.reveal() if settings.users is not None else ""
    extra = "ldap" if scheme.startswith("ldap") else "peers"
    try:
        if extra == "ldap":
            address = _load("ldap.address").parsed(url)
            return _load("ldap.users").LdapUsers(address, more.auth_ldap)
        return _load("users.proxy").ProxyUsers(url, more.auth_proxy)
    except ValueError as error:
        raise ConfigError([f"AUTH_USERS {error}."]) from error
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("buttress"):
            raise
        raise ExtensionError(
            "auth",
            f"AUTH_USERS={scheme}: needs the package '{error.name}': "
            f"pip install 'buttress[{extra}]'.",
        ) from error


def _load(name: str) -> Any:
    return import_module(f"buttress.auth.{name}")
