"""The user that an identity elsewhere stands for here.

It is found by issuer and subject, and by nothing else: an e-mail address may be given to somebody
else. A user of our own is made at the first login, so that roles, sessions and API tokens are
those of any user, and one who may no longer log in is disabled here.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from buttress.auth.login.refusal import LoginRefused
from buttress.auth.users import ELSEWHERE, UserExists

if TYPE_CHECKING:
    from buttress.auth.auth import Auth
    from buttress.auth.login.settings import OidcSettings
    from buttress.auth.users import User

#: The role of those who come from a provider. One who has not got it was made by somebody else,
#: under a name that was worked out beforehand, and nobody comes in by a provider as that user.
ROLE = ELSEWHERE


def name_of(issuer: str, subject: str) -> str:
    """Give the name of the user that a subject of an issuer is here."""
    digest = sha256(f"{issuer}\0{subject}".encode("utf-8", "surrogatepass")).digest()
    return f"oidc-{base64.b32encode(digest[:20]).decode().lower()}"


def user_of(auth: Auth, settings: OidcSettings, claims: Mapping[str, Any]) -> User:
    """Give the user, made where there is none, with the roles and the address of the claims.

    Raises `LoginRefused` for one who may not log in.
    """
    name = name_of(settings.issuer, claims["sub"])
    try:
        return _kept(auth, settings, name, claims)
    except ValueError as error:  # of an address or a role that cannot be kept
        raise LoginRefused(f"{name} cannot be kept: {error}") from error


def is_of_provider(auth: Auth, name: str) -> bool:
    """Tell whether a user came from a provider."""
    user = auth.directory.look(name)
    return user is not None and ROLE in user.roles


def _kept(auth: Auth, settings: OidcSettings, name: str, claims: Mapping[str, Any]) -> User:
    roles, email = roles_of(settings, claims), email_of(claims)
    user = auth.users.get(name) or _made(auth, name, roles, email)
    if ROLE not in user.roles or not user.active:
        raise LoginRefused(f"{name} is disabled, or lacks the role '{ROLE}'", "unknown")
    changes: dict[str, Any] = {}
    if settings.roles and user.roles != roles:
        changes["roles"] = roles
    if email is not None and user.email != email:
        changes["email"] = email
    return auth.users.update(name, **changes) if changes else user


def roles_of(settings: OidcSettings, claims: Mapping[str, Any]) -> frozenset[str]:
    """Translate the claim that lists what somebody is into roles."""
    given = claims.get(settings.roles_claim)
    values = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    found = [settings.roles.get(value, ()) for value in values if isinstance(value, str)]
    return frozenset((ROLE,)).union(*found)


def email_of(claims: Mapping[str, Any]) -> str | None:
    """Give the address, where the provider has verified it."""
    email = claims.get("email")
    return email if isinstance(email, str) and claims.get("email_verified") is True else None


def _made(auth: Auth, name: str, roles: frozenset[str], email: str | None) -> User:
    try:
        # Nobody will ever know this password.
        return auth.users.create(name, secrets.token_urlsafe(32), email=email, roles=roles)
    except UserExists:  # by another request at this moment
        user = auth.users.get(name)
        if user is None:
            raise
        return user
