"""The keys that a tenant publishes: fetched when they are needed, and kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, TypeVar

from buttress.auth0.tenant import TenantDown, TenantRefuses
from buttress.errors import Unavailable
from buttress.jwt import Key, Keys, TokenRefused, from_jwk

logger = logging.getLogger("buttress.auth0")

ALGORITHM = "RS256"
#: Seconds after which the keys are fetched anew, so that one which was withdrawn ends.
LASTS = 3600.0
#: Least seconds between two fetches, after one that succeeded and after one that failed.
PAUSE, RETRY = 30.0, 5.0
#: Seconds that a request waits for the fetch of another.
PATIENCE = 1.0
#: The most keys that a set may have.
MOST = 100
#: What of a key is read: nothing private, and no certificate.
_MEMBERS = ("kty", "n", "e", "kid")
DOWN = "It cannot be found out at the moment whether your token is good."

JsonObject = Mapping[str, Any]
T = TypeVar("T")


class KeyUnknown(TokenRefused):
    """Raised when a token names a key that the tenant does not publish."""


class TenantKeys(Keys):
    """One set of a tenant's keys."""

    def __init__(self, jwks: list[dict[str, Any]]) -> None:
        super().__init__([from_jwk(jwk) for jwk in jwks])
        self.jwks = jwks
        self._ids = frozenset(jwk["kid"] for jwk in jwks)

    def __len__(self) -> int:
        return len(self._ids)

    def verify(self, header: JsonObject, signed: bytes, signature: bytes, now: float) -> Key:
        """Give the key that made a signature. Raises `KeyUnknown` where it is not among these."""
        identity = header.get("kid")
        if header.get("alg") == ALGORITHM:
            if not isinstance(identity, str) or not identity:
                raise TokenRefused("The token names no key")
            if identity not in self._ids:
                raise KeyUnknown("The token names a key that is not known")
        return super().verify(header, signed, signature, now)


class Jwks:
    """Keep the keys of a tenant. Any thread may call it; ``now`` is a clock in seconds.

    While the tenant is down the keys that are known go on.
    """

    def __init__(
        self, fetch: Callable[[], JsonObject], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = Lock()
        self._keys: TenantKeys | None = None
        self._fetched = -math.inf
        #: Before this moment nothing is fetched.
        self._next = -math.inf
        self._failed = False

    @property
    def age(self) -> float:
        """Give the seconds since the keys were fetched."""
        return self._now() - self._fetched

    def keys(self) -> TenantKeys:
        """Give the keys. Raises `Unavailable` where none are known."""
        known = self._keys
        if known is None:
            return self.newer(None)
        if self.age >= LASTS and self._lock.acquire(blocking=False):
            try:
                self._update()
            finally:
                self._lock.release()
            return self._keys or known
        return known

    def trying(self, verify: Callable[[TenantKeys], T]) -> T:
        """Verify something, anew where it names a key that may have been published since.

        Raises `KeyUnknown` where it was not, and `Unavailable` where that is not known.
        """
        keys = self.keys()
        try:
            return verify(keys)
        except KeyUnknown:
            newer = self.newer(keys)
        return verify(newer)

    def newer(self, than: TenantKeys | None) -> TenantKeys:
        """Give newer keys, or the same where the tenant was asked a moment ago and has no others.

        Raises `Unavailable` where it cannot be asked.
        """
        if not self._lock.acquire(timeout=PATIENCE):
            raise Unavailable(DOWN)
        try:
            if self._keys is than:
                self._update()
            if self._keys is None or (self._keys is than and self._failed):
                raise Unavailable(DOWN)
            return self._keys
        finally:
            self._lock.release()

    def _update(self) -> None:
        """Fetch the keys, unless that was tried a moment ago."""
        if self._now() < self._next:
            return
        try:
            jwks = signing(self._fetch())
            if self._keys is None or jwks != self._keys.jwks:
                self._keys = TenantKeys(jwks)
                logger.info("the tenant has %d keys", len(self._keys))
            self._failed, self._fetched = False, self._now()
        except (TenantDown, TenantRefuses, ValueError) as error:
            self._failed = True
            logger.error("the keys of the tenant cannot be fetched: %s", error)
        self._next = self._now() + (RETRY if self._failed else PAUSE)


def signing(document: JsonObject) -> list[dict[str, Any]]:
    """Give the keys of a set by which tokens are signed. Raises `ValueError` where it has none."""
    given = document.get("keys")
    if not isinstance(given, list) or len(given) > MOST:
        raise ValueError(f"it is no set of at most {MOST} keys")
    found = [jwk for jwk in given if isinstance(jwk, dict) and _may_sign(jwk)]
    if not found:
        raise ValueError(f"it has no key for {ALGORITHM}")
    return [_public(jwk) for jwk in found]


def _may_sign(jwk: JsonObject) -> bool:
    """Tell whether tokens are signed by a key; others may be in the set for other purposes."""
    meant = (jwk.get("kty"), jwk.get("use", "sig"), jwk.get("alg", ALGORITHM))
    if meant != ("RSA", "sig", ALGORITHM) or jwk.get("key_ops", ["verify"]) != ["verify"]:
        return False
    try:
        return bool(from_jwk(_public(jwk)).id and jwk.get("kid"))
    except ValueError as error:
        logger.warning("a key of the tenant is not used: %s", error)
        return False


def _public(jwk: JsonObject) -> dict[str, Any]:
    return {name: jwk[name] for name in _MEMBERS if name in jwk}
