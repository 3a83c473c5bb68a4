"""What an access token of a tenant must say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from buttress.jwt import TokenRefused, Verifier
from buttress.oidc import ProviderKeys

#: What ``typ`` may say (RFC 7519, 5.1; RFC 9068, 2.1).
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
#: Claims of ID tokens alone (OpenID Connect Core, 2 and 3.3.2.11).
OF_ID_TOKENS = frozenset({"nonce", "at_hash", "c_hash"})

Claims = dict[str, Any]


class ClaimsRefused(TokenRefused):
    """Raised when a token is the tenant's and does not say what it must."""


class AccessTokens(Verifier):
    """Verify access tokens for this API."""

    def __init__(
        self,
        keys: ProviderKeys,
        issuer: str,
        audience: str,
        client_id: str | None,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(keys, clock=clock)
        self._tenant, self._api, self._client_id = issuer, audience, client_id

    def check(self, header: Claims, claims: Claims) -> None:
        """Raise `ClaimsRefused` for a token that is not for this API."""
        typ = header.get("typ", "JWT")
        if not isinstance(typ, str) or typ.lower() not in TYPES:
            raise ClaimsRefused("The token is of another kind")
        if claims.get("iss") != self._tenant:
            raise ClaimsRefused("The token is of another issuer")
        audiences = self._audiences(claims)
        if self._client_id in audiences or not OF_ID_TOKENS.isdisjoint(claims):
            raise ClaimsRefused("The token is an ID token")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise ClaimsRefused("The token has no subject")
        check_email(claims)
        try:
            self.check_times(claims)
        except TokenRefused as refused:
            raise ClaimsRefused(refused.reason) from None

    def _audiences(self, claims: Claims) -> list[Any]:
        said = claims.get("aud")
        audiences = said if isinstance(said, list) else [said]
        if self._api not in audiences or not all(isinstance(it, str) for it in audiences):
            raise ClaimsRefused("The token is for another audience")
        return audiences


def check_email(claims: Claims) -> None:
    """Raise `ClaimsRefused` for an address that may be somebody else's."""
    if "email" in claims and claims.get("email_verified") is not True:
        raise ClaimsRefused("The email address in the token is not verified")
