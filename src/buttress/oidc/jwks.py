"""The keys by which a provider signs, as it publishes them (RFC 7517)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from buttress.jwt import Key, Keys, TokenRefused, from_jwk
from buttress.oidc.kept import Kept

logger = logging.getLogger("buttress.oidc")

#: What may sign: keys that the provider alone has. A shared secret proves nothing here.
ALGORITHMS = ("RS256", "ES256", "EdDSA")
#: The most keys that a set may have.
MOST = 100
#: What of a key is read: nothing private, and no certificate.
_MEMBERS = ("kty", "crv", "n", "e", "x", "y", "kid")

JsonObject = Mapping[str, Any]
T = TypeVar("T")


class KeyUnknown(TokenRefused):
    """Raised when a token is signed by a key that the provider does not publish."""


class ProviderKeys(Keys):
    """The keys of one published set that sign by one of these algorithms.

    Raises `ValueError` for a set that has none, or two of one name.
    """

    def __init__(self, document: JsonObject, algorithms: Collection[str] = ALGORITHMS) -> None:
        self._jwks = _signing(document, algorithms)
        keys = [from_jwk(jwk) for jwk in self._jwks]
        super().__init__(keys)
        self._algorithms = tuple(algorithms)
        self._ids = frozenset(key.id for key in keys)

    def __len__(self) -> int:
        return len(self._ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProviderKeys) and self._jwks == other._jwks

    __hash__ = None  # type: ignore[assignment]  # what is compared is a list

    def __repr__(self) -> str:
        return f"<ProviderKeys {sorted(map(str, self._ids))}>"

    def verify(self, header: JsonObject, signed: bytes, signature: bytes, now: float) -> Key:
        """Give the key that made a signature. Raises `KeyUnknown` where it may be a newer one."""
        if header.get("alg") not in self._algorithms:
            raise TokenRefused("The token is signed by an algorithm that is not allowed")
        if "kid" not in header:
            return self._only(header, signed, signature, now)
        identity = header["kid"]
        if not isinstance(identity, str) or identity not in self._ids:
            raise KeyUnknown("The token names a key that is not known")
        return super().verify(header, signed, signature, now)

    def _only(self, header: JsonObject, signed: bytes, signature: bytes, now: float) -> Key:
        """Take a token that names no key, where there is one only (OpenID Connect Core, 10.1)."""
        if len(self) > 1:
            raise TokenRefused("The token names no key")
        try:
            return super().verify(header, signed, signature, now)
        except TokenRefused:
            raise KeyUnknown("The token is signed by a key that is not known") from None


class Jwks(Kept[ProviderKeys]):
    """Keep the keys of a provider."""

    def trying(self, verify: Callable[[ProviderKeys], T]) -> T:
        """Verify something, anew where its key may have been published since.

        Raises `KeyUnknown` where it was not, and `Unavailable` where that is not known.
        """
        keys = self.get()
        try:
            return verify(keys)
        except KeyUnknown:
            newer = self.newer(keys)
        return verify(newer)


def _signing(document: JsonObject, algorithms: Collection[str]) -> list[dict[str, Any]]:
    given = document.get("keys")
    if not isinstance(given, list) or len(given) > MOST:
        raise ValueError(f"it is no set of at most {MOST} keys")
    found = [jwk for jwk in given if isinstance(jwk, dict) and _may_sign(jwk, algorithms)]
    if not found:
        raise ValueError(f"it has no key for {', '.join(algorithms) or 'what is taken here'}")
    return [_public(jwk) for jwk in found]


def _may_sign(jwk: JsonObject, algorithms: Collection[str]) -> bool:
    """Tell whether tokens are signed by a key; others may be in the set for other purposes."""
    if jwk.get("use", "sig") != "sig" or jwk.get("key_ops", ["verify"]) != ["verify"]:
        return False
    try:
        algorithm = from_jwk(_public(jwk)).algorithm
    except ValueError as error:
        logger.warning("a key of the provider is not used: %s", error)
        return False
    meant = algorithm in algorithms and jwk.get("alg", algorithm) == algorithm
    return meant and jwk.get("kid") != ""


def _public(jwk: JsonObject) -> dict[str, Any]:
    return {name: jwk[name] for name in _MEMBERS if name in jwk}
