"""The authenticator of signed tokens: ``Authorization: Bearer …`` with a JWT (RFC 6750, 9068)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from buttress.auth.authenticators import Refused, Trace
from buttress.auth.claims import described
from buttress.auth.principal import Principal
from buttress.auth.tokens import MARK
from buttress.auth.users.directory import Directory

if TYPE_CHECKING:
    from flask import Request


class Verified(NamedTuple):
    """The claims of a token that is valid, and whether this service has issued it itself.

    What another issuer calls a subject may be the name of another user here.
    """

    claims: Mapping[str, Any]
    own: bool


#: Verifies a token. Raises `Refused` for one that is not valid.
Verify = Callable[[str], Verified]


class Bearer:
    """Recognise who a signed token speaks of."""

    name = "bearer"

    def __init__(self, verify: Verify, directory: Directory, realm: str) -> None:
        self._verify = verify
        self._directory = directory
        self._realm = realm

    def authenticate(self, request: Request, trace: Trace) -> Principal | None:
        """Give the subject of the token, with its scopes.

        Of a token of our own without any, the scopes are those of the user's roles, and a user who
        is disabled is refused. A subject that is no user of ours is taken as it is.
        """
        token = bearer_of(request)
        if token is None or token.startswith(MARK):
            return None
        try:
            claims, own = self._verify(token)
        except Refused:
            trace.note(self.name, described(token))
            raise
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise Refused(self.name, "the token has no subject (sub)", "invalid_token")
        trace.note(self.name, f"a token for {subject}")
        user = self._directory.look(subject) if own else None
        if user is not None and not user.active:
            raise Refused(self.name, f"{subject} is disabled", "invalid_token")
        scopes = scopes_in(claims)
        if scopes is None:
            scopes = frozenset() if user is None else self._directory.scopes_of(user)
        return Principal(id=subject, scopes=scopes, claims=claims, by=self.name)

    def challenge(self, refused: Refused | None) -> str | None:
        """Ask for a bearer token."""
        return challenge_of(self._realm, refused)


def scopes_in(claims: Mapping[str, Any]) -> frozenset[str] | None:
    """Give the scopes of claims: words of ``scope`` (RFC 8693, 4.2), ``scp`` or ``scopes``.

    ``None`` where they say nothing of scopes.
    """
    found: set[str] = set()
    given = [claims[name] for name in ("scope", "scp", "scopes") if name in claims]
    for value in given:
        words = value.split() if isinstance(value, str) else value
        if isinstance(words, list | tuple):
            found.update(word for word in words if isinstance(word, str))
    return frozenset(found) if given else None


def bearer_of(request: Request) -> str | None:
    """Give the token of the header ``Authorization``; ``None`` where it has none.

    Tokens in the query or in a form are not looked at (RFC 9700, 4.3.2).
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def challenge_of(realm: str, refused: Refused | None) -> str:
    """Write the challenge of RFC 6750, 3."""
    error = "" if refused is None or refused.error is None else f', error="{refused.error}"'
    return f'Bearer realm="{realm}"{error}'
