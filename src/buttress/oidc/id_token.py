"""ID tokens: whom a provider has seen, verified as OpenID Connect Core, 3.1.3.7 wants it."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from typing import Any

from buttress.jwt import Keys, TokenExpired, TokenRefused, Verifier

#: By how many seconds the clocks may differ.
LEEWAY = 30.0
#: The most characters of a subject (OpenID Connect Core, 2).
LONGEST_SUBJECT = 255


class IdTokens(Verifier):
    """Tell the ID token of one login from others: the nonce is that of the login."""

    #: Some providers list all groups of a user.
    longest = 16_384

    def __init__(
        self,
        keys: Keys,
        issuer: str,
        client_id: str,
        nonce: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(keys, leeway=LEEWAY, clock=clock)
        self._provider, self._client_id, self._nonce = issuer, client_id, nonce

    def claims(self, token: str) -> dict[str, Any]:
        """Give what a token says that was issued to us, now, for this login.

        Raises `TokenRefused`.
        """
        header, claims = self.verify(token, expired=True)
        if self.clock() >= claims["exp"] + LEEWAY:
            raise TokenExpired(header, claims)
        return claims

    def check(self, header: dict[str, Any], claims: dict[str, Any]) -> None:
        """Raise `TokenRefused` for what is not of this login."""
        typ = header.get("typ", "JWT")
        if not isinstance(typ, str) or typ.lower() != "jwt":
            raise TokenRefused("The token is of another kind")
        if claims.get("iss") != self._provider:
            raise TokenRefused("The token is of another issuer")
        self._check_audience(claims)
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(
            nonce.encode(), self._nonce.encode()
        ):
            raise TokenRefused("The token is of another login")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            raise TokenRefused("The token has no subject")
        if "iat" not in claims:
            raise TokenRefused("The token has no time")
        self.check_times(claims)

    def _check_audience(self, claims: dict[str, Any]) -> None:
        """Want it to be for us; one for several must have been issued to us."""
        said = claims.get("aud")
        audiences = said if isinstance(said, list) else [said]
        if self._client_id not in audiences:
            raise TokenRefused("The token is for another client")
        issued_to = claims.get("azp", self._client_id if len(audiences) == 1 else None)
        if issued_to != self._client_id:
            raise TokenRefused("The token was issued to another client")
