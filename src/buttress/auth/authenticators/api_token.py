"""The authenticator of API tokens: ``Authorization: Bearer bt_…`` (RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buttress.auth.authenticators import Refused, Trace
from buttress.auth.authenticators.bearer import bearer_of, challenge_of
from buttress.auth.issuer import Issuer
from buttress.auth.principal import Principal
from buttress.auth.tokens import MARK

if TYPE_CHECKING:
    from flask import Request


class ApiToken:
    """Recognise the owner of a token that this service issued."""

    name = "token"

    def __init__(self, issuer: Issuer, realm: str) -> None:
        self._issuer = issuer
        self._realm = realm

    def authenticate(self, request: Request, trace: Trace) -> Principal | None:
        """Give the owner, with the scopes of the token."""
        secret = bearer_of(request)
        if secret is None or not secret.startswith(MARK):
            return None
        trace.note(self.name, "a token of this service")
        token, user = self._issuer.resolve(self.name, "api", secret)
        return Principal(
            id=user.name,
            kind="token",
            scopes=self._issuer.scopes_of(token, user),
            claims={"token": token.id, "label": token.label, "user_id": user.id},
            by=self.name,
        )

    def challenge(self, refused: Refused | None) -> str | None:
        """Ask for a bearer token."""
        return challenge_of(self._realm, refused)
