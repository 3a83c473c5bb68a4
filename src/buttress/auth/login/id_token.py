"""ID tokens: whom a provider has seen, as OpenID Connect Core, 3.1.3.7 wants them verified."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from buttress.auth.login.refusal import LoginRefused

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

    from buttress.auth.login.provider import Provider

#: Signatures by keys that only the provider has; a shared secret proves nothing here.
ALGORITHMS = frozenset(
    f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)
) | {"EdDSA", "Ed25519"}
#: By how many seconds the clocks may differ.
LEEWAY = 30.0
#: Numbers from here on are no times; NaN is not less either.
LAST = 2.0**53
#: The most characters of a token that is looked at, and of a subject (OpenID Connect Core, 2).
LONGEST, LONGEST_SUBJECT = 16_384, 255


def verified(
    token: str,
    provider: Provider,
    client_id: str,
    nonce: str,
    now: Callable[[], float] = time.time,
) -> Mapping[str, Any]:
    """Give the claims of a token that was issued to us, now, for this login.

    Raises `LoginRefused`, and `Unavailable` where the keys cannot be had.
    """
    claims = _signed(token, provider)
    if claims.get("iss") != provider.metadata.issuer:
        raise LoginRefused("the ID token has another issuer")
    _check_audience(claims, client_id)
    _check_times(claims, now())
    if not _is_same(claims.get("nonce"), nonce):
        raise LoginRefused("the ID token has another nonce")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise LoginRefused("the ID token has no subject")
    return claims


def _is_same(given: object, expected: str) -> bool:
    known = given.encode("utf-8", "replace") if isinstance(given, str) else b""
    return hmac.compare_digest(known, expected.encode())


def _signed(token: str, provider: Provider) -> Mapping[str, Any]:
    if len(token) > LONGEST:
        raise LoginRefused(f"the ID token has more than {LONGEST} characters")
    algorithms = ALGORITHMS.intersection(provider.metadata.id_token_signing_alg_values_supported)
    try:
        try:
            return _decoded(token, provider.keys(), algorithms)
        except InvalidKeyIdError:  # the keys may have been changed
            return _decoded(token, provider.keys(anew=True), algorithms)
    except (JoseError, ValueError) as error:
        raise LoginRefused(f"the ID token is not valid: {ascii(str(error))[:200]}") from error


def _decoded(token: str, keys: KeySet, algorithms: frozenset[str]) -> Mapping[str, Any]:
    return jwt.decode(token, keys, algorithms=sorted(algorithms)).claims


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """Want it to be for us; one for several must have been issued to us."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise LoginRefused("the ID token is for another client")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise LoginRefused("the ID token was issued to another client")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    times: dict[str, Any] = {
        name: claims.get(name) for name in ("exp", "iat", "nbf") if name in claims
    }
    for name in ("exp", "iat"):
        if name not in times:
            raise LoginRefused(f"the ID token has no {name}")
    for name, value in times.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not abs(value) < LAST:
            raise LoginRefused(f"{name} of the ID token is no time")
        if value <= now - LEEWAY if name == "exp" else value > now + LEEWAY:
            raise LoginRefused(f"{name} of the ID token is {value - now:+.0f} s from now")
