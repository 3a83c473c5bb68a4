"""What the tokens of a tenant must say: those for this API, and those that tell of a login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from buttress.auth0.jwks import TenantKeys
from buttress.jwt import TokenRefused, Verifier

#: What ``typ`` may say (RFC 7519, 5.1; RFC 9068, 2.1).
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
#: Claims of ID tokens alone (OpenID Connect Core, 2 and 3.3.2.11).
OF_ID_TOKENS = frozenset({"nonce", "at_hash", "c_hash"})

Claims = dict[str, Any]
Clock = Callable[[], float]


class ClaimsRefused(TokenRefused):
    """Raised when a token is the tenant's and does not say what it must."""


class _Tokens(Verifier):
    """Verify what a tenant issued for one audience."""

    def __init__(self, keys: TenantKeys, issuer: str, audience: str, clock: Clock) -> None:
        super().__init__(keys, clock=clock)
        self._of = (issuer, audience)

    def _check_common(self, claims: Claims) -> list[Any]:
        """Check what both kinds have; gives the audiences."""
        audiences = _check_parties(claims, *self._of)
        _check_person(claims)
        try:
            self.check_times(claims)
        except TokenRefused as refused:
            raise ClaimsRefused(refused.reason) from None
        return audiences


class AccessTokens(_Tokens):
    """Verify access tokens for this API."""

    def __init__(
        self, keys: TenantKeys, issuer: str, audience: str, client_id: str | None, clock: Clock
    ) -> None:
        super().__init__(keys, issuer, audience, clock)
        self._client_id = client_id

    def check(self, header: Claims, claims: Claims) -> None:
        """Raise `ClaimsRefused` for a token that is not for this API."""
        typ = header.get("typ", "JWT")
        if not isinstance(typ, str) or typ.lower() not in TYPES:
            raise ClaimsRefused("The token is of another kind")
        audiences = self._check_common(claims)
        if self._client_id in audiences or not OF_ID_TOKENS.isdisjoint(claims):
            raise ClaimsRefused("The token is an ID token")


class IdTokens(_Tokens):
    """Verify the ID token of a login (OpenID Connect Core, 3.1.3.7)."""

    def __init__(
        self, keys: TenantKeys, issuer: str, client_id: str, nonce: str, clock: Clock
    ) -> None:
        super().__init__(keys, issuer, client_id, clock)
        self._nonce = nonce

    def check(self, header: Claims, claims: Claims) -> None:
        """Raise `ClaimsRefused` for a token that is not of this login."""
        if header.get("typ", "JWT") != "JWT":
            raise ClaimsRefused("The token is of another kind")
        audiences = self._check_common(claims)
        if len(audiences) != 1 or claims.get("azp", self._of[1]) != self._of[1]:
            raise ClaimsRefused("The token is for others too")
        if claims.get("nonce") != self._nonce:
            raise ClaimsRefused("The token is of another login")
        if "iat" not in claims:
            raise ClaimsRefused("The token has no time")


def _check_parties(claims: Claims, issuer: str, audience: str) -> list[Any]:
    """Check who issued a token, and for whom; gives the audiences."""
    if claims.get("iss") != issuer:
        raise ClaimsRefused("The token is of another issuer")
    said = claims.get("aud")
    audiences = said if isinstance(said, list) else [said]
    if audience not in audiences or not all(isinstance(it, str) for it in audiences):
        raise ClaimsRefused("The token is for another audience")
    return audiences


def _check_person(claims: Claims) -> None:
    """Check of whom a token speaks; an address that may be another's must not name them."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise ClaimsRefused("The token has no subject")
    if "email" in claims and claims.get("email_verified") is not True:
        raise ClaimsRefused("The email address in the token is not verified")
