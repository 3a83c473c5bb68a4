"""Users whose passwords are kept by this service, wherever it keeps them."""

from __future__ import annotations

import logging
import re
import time
import uuid
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from buttress.auth.passwords import Passwords
from buttress.auth.users import UnknownUser, User, UserExists, Users, normal

logger = logging.getLogger("buttress.auth")

LONGEST_EMAIL = 254
LONGEST_ROLE, MOST_ROLES = 64, 100
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user as they are kept; times are seconds since 1970."""

    id: str
    name: str
    email: str | None
    roles: frozenset[str]
    active: bool
    revision: int
    password: str
    created: int
    changed: int

    @property
    def user(self) -> User:
        """Give what others may know."""
        return User(
            id=self.id,
            name=self.name,
            email=self.email,
            roles=self.roles,
            active=self.active,
            revision=self.revision,
        )


class Accounts(Users):
    """Know users by their accounts; a technology says how these are kept."""

    def __init__(self, passwords: Passwords, now: Callable[[], float] = time.time) -> None:
        self._passwords = passwords
        self._now = now

    def authenticate(self, name: str, password: str) -> User | None:
        """Give the user whose password this is; one that is weakly hashed is hashed anew."""
        if not self._passwords.takes(password):
            return None
        account = self._account(name)
        if account is None:
            self._passwords.burn()
            return None
        right = self._passwords.verify(account.password, password) and account.active
        if self._passwords.needs_rehash(account.password):
            if right:
                self._rehash(account, password)
            else:  # an old hash is quicker, and would so tell that there is its user
                self._passwords.burn()
        return account.user if right else None

    def get(self, name: str) -> User | None:
        """Find a user by name."""
        account = self._account(name)
        return None if account is None else account.user

    def create(
        self, name: str, password: str, *, email: str | None = None, roles: Iterable[str] = ()
    ) -> User:
        """Make a user. Raises `UserExists`, and `ValueError` for what cannot be kept."""
        now = int(self._now())
        account = Account(
            id=str(uuid.uuid4()),
            name=normal(name),
            email=_email(email),
            roles=_roles(roles),
            active=True,
            revision=1,
            password=self._passwords.hash(password),
            created=now,
            changed=now,
        )
        if not self._add(account):
            raise UserExists(f"There is a user {account.name} already.")
        return account.user

    def update(self, name: str, **changes: Any) -> User:
        """Change ``email``, ``roles`` or ``active``. Raises `UnknownUser`."""
        values = _checked(changes)
        account = self._known(name)
        if values:
            values["changed"] = int(self._now())
            self._change(account, values, revise=values.get("active") is False)
        return self._known(name).user

    def change_password(self, name: str, password: str, *, old: str | None = None) -> bool:
        """Set a password; where ``old`` is given, only if it is right and the user is active.

        Raises `UnknownUser`, and `ValueError` for what can be no password.
        """
        account = self._known(name)
        only: dict[str, Any] = {}
        if old is not None:
            if not self._passwords.verify(account.password, old) or not account.active:
                return False
            only["revision"] = account.revision  # it is right as long as nobody has changed it
        values = {"password": self._passwords.hash(password), "changed": int(self._now())}
        changed = self._change(account, values, revise=True, only=only)
        if not changed and old is None:
            raise _unknown(name)
        return changed

    def delete(self, name: str) -> bool:
        """Remove a user."""
        known = _normal(name)
        return known is not None and self._remove(known)

    def info(self, name: str) -> Mapping[str, Any]:
        """Give what is known of a user, without the password."""
        account = self._known(name)
        return {
            "id": account.id,
            "name": account.name,
            "email": account.email,
            "roles": sorted(account.roles),
            "active": account.active,
            "created": account.created,
            "changed": account.changed,
        }

    def all(self, limit: int = 1000) -> list[User]:
        """List users by name."""
        return [account.user for account in self._list(max(0, limit))]

    @abstractmethod
    def _find(self, name: str) -> Account | None:
        """Find an account by the name that it is kept under."""

    @abstractmethod
    def _add(self, account: Account) -> bool:
        """Keep a new account; ``False`` where its name is taken."""

    @abstractmethod
    def _change(
        self,
        account: Account,
        values: Mapping[str, Any],
        *,
        revise: bool = False,
        only: Mapping[str, Any] | None = None,
    ) -> bool:
        """Change an account, where it has still what ``only`` says; tell whether it has.

        ``revise`` makes its revision rise.
        """

    @abstractmethod
    def _remove(self, name: str) -> bool:
        """Remove an account; tell whether there was one."""

    @abstractmethod
    def _list(self, limit: int) -> list[Account]:
        """List accounts by name, in the order of code points."""

    def _account(self, name: str) -> Account | None:
        known = _normal(name)
        return None if known is None else self._find(known)

    def _known(self, name: str) -> Account:
        account = self._account(name)
        if account is None:
            raise _unknown(name)
        return account

    def _rehash(self, account: Account, password: str) -> None:
        """Hash a password with today's parameters; where that fails, the login does not."""
        try:
            values = {"password": self._passwords.hash(password)}
            self._change(account, values, only={"password": account.password})
        except Exception:
            logger.exception("The password of %s could not be hashed anew", account.name)


def _normal(name: str) -> str | None:
    try:
        return normal(name)
    except ValueError:
        return None


def _unknown(name: str) -> UnknownUser:
    return UnknownUser(f"There is no user {str(name)[:200]!r}.")


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(changes)
    for name in values.keys() - _CHECKS.keys():
        raise TypeError(f"A user has no {name!r} to update: there are {', '.join(_CHECKS)}.")
    return {name: _CHECKS[name](value) for name, value in values.items()}


def _email(email: str | None) -> str | None:
    if email is None:
        return None
    if len(email) > LONGEST_EMAIL or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise ValueError(f"That is no mail address of at most {LONGEST_EMAIL} characters.")
    return email


def _roles(roles: Iterable[str]) -> frozenset[str]:
    if isinstance(roles, str):
        raise TypeError(f"roles={roles!r}: give a list, [{roles!r}].")
    found = frozenset(roles)
    for role in found:
        if not 0 < len(role) <= LONGEST_ROLE or not role.isprintable() or role != role.strip():
            raise ValueError(f"{role!r} is no role: write a word of up to {LONGEST_ROLE} letters.")
    if len(found) > MOST_ROLES:
        raise ValueError(f"A user has at most {MOST_ROLES} roles.")
    return found


def _active(active: bool) -> bool:
    if not isinstance(active, bool):
        raise TypeError(f"active={active!r}: give True or False.")
    return active


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "email": _email,
    "roles": _roles,
    "active": _active,
}
