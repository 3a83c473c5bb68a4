"""Verification of tokens, as RFC 8725 wants it; what was verified once is remembered."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any, ClassVar, NamedTuple

from buttress.jwt.compact import LONGEST, read_compact, read_object
from buttress.jwt.key import Key, Keys
from buttress.jwt.refusal import TokenExpired, TokenRefused

Clock = Callable[[], float]

#: The number of tokens that are remembered.
REMEMBERED = 4096
KINDS = ("access", "refresh")
#: What ``typ`` may say (RFC 7519, 5.1; RFC 9068, 2.1).
TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
#: The ids of a token and of a session are written into a database.
_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Verified(NamedTuple):
    """A token that may be trusted; both are its reader's own."""

    header: dict[str, Any]
    claims: dict[str, Any]


class _Known(NamedTuple):
    """A token that was verified, and until when it is good."""

    header: dict[str, Any]
    claims: dict[str, Any]
    until: float
    #: Whether it holds no list or object, of which its reader would need a copy.
    flat: bool

    def own(self) -> Verified:
        """Copy it, for a view may change what it gets."""
        if self.flat:
            return Verified(self.header.copy(), self.claims.copy())
        return Verified(copied(self.header), copied(self.claims))


class Verifier:
    """Tell tokens that may be trusted from others. Any thread may call it.

    ``issuer`` and ``audience`` must be exactly those where they are given. ``leeway`` is by how
    many seconds the clock of who issued a token may be fast.
    """

    #: The most characters of a token that is looked at.
    longest: ClassVar[int] = LONGEST

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str | None = None,
        audience: str | None = None,
        leeway: float = 10.0,
        clock: Clock = time.time,
    ) -> None:
        self.keys = keys
        self.clock = clock
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def verify(self, token: object, *, expired: bool = False) -> Verified:
        """Give header and claims of a token, also of one past its end where ``expired``.

        Raises `TokenRefused`. Whether it was revoked is not looked at.
        """
        name = self._name_of(token)
        known = self._find(name)
        if known is not None:
            return known.own()
        header, payload, key = self.signed(token)
        claims = read_object(payload)
        self.check(header, claims)
        now = self.clock()
        if now >= claims["exp"]:
            if expired:
                return Verified(header, claims)
            raise TokenExpired(header, claims)
        flat = not any(isinstance(it, dict | list) for it in (*header.values(), *claims.values()))
        known = _Known(header, claims, min(claims["exp"], key.until), flat)
        self._remember(name, known)
        return known.own()

    def header(self, token: str) -> dict[str, Any]:
        """Give the header of a token. Raises what `verify` raises."""
        known = self._find(self._name_of(token))
        return self.verify(token).header if known is None else known.own().header

    def signed(self, token: object) -> tuple[dict[str, Any], bytes, Key]:
        """Give header and payload of a token, and the key that signed it; no claim is looked at.

        Raises `TokenRefused`.
        """
        compact = read_compact(token, self.longest)
        key = self.keys.verify(compact.header, compact.signed, compact.signature, self.clock())
        return compact.header, compact.payload, key

    def check(self, header: dict[str, Any], claims: dict[str, Any]) -> None:
        """Raise `TokenRefused` for claims of a token of no session; other kinds check others."""
        typ = header.get("typ", "JWT")
        if not isinstance(typ, str) or typ.lower() not in TYPES or claims.get("type") not in KINDS:
            raise TokenRefused("The token is of another kind")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise TokenRefused("The token has no subject")
        if not is_id(claims.get("jti")) or not is_id(claims.get("sid", "-")):
            raise TokenRefused("The token has no id as it should be")
        self._check_parties(claims)
        fresh = claims.setdefault("fresh", False)
        if not (isinstance(fresh, bool) or _is_time(fresh)):
            raise TokenRefused("A time in the token is no number as it should be")
        self.check_times(claims)

    def _check_parties(self, claims: dict[str, Any]) -> None:
        if self._issuer is not None and claims.get("iss") != self._issuer:
            raise TokenRefused("The token is of another issuer")
        if claims.get("aud") != self._audience or ("aud" in claims and self._audience is None):
            raise TokenRefused("The token is for another audience")

    def check_times(self, claims: dict[str, Any]) -> None:
        """Raise `TokenRefused` for times that are none, or that are ahead; not for a past end."""
        if "exp" not in claims:
            raise TokenRefused("The token has no end")
        times = [claims[name] for name in ("exp", "nbf", "iat", "auth_time") if name in claims]
        if not all(map(_is_time, times)):
            raise TokenRefused("A time in the token is no number as it should be")
        latest = self.clock() + self._leeway
        if any(claims.get(name, 0) > latest for name in ("nbf", "iat", "auth_time")):
            raise TokenRefused("The token is not valid yet")

    def _find(self, name: bytes) -> _Known | None:
        known = self._known.get(name)
        if known is None or self.clock() >= known.until:
            return None
        with suppress(KeyError):  # another thread may just have forgotten it
            self._known.move_to_end(name)
        return known

    def _name_of(self, token: object) -> bytes:
        """Give what a token is remembered by, so that nobody finds tokens in the memory."""
        if isinstance(token, str) and len(token) <= self.longest:
            return sha256(token.encode("utf-8", "replace")).digest()
        return b""

    def _remember(self, name: bytes, known: _Known) -> None:
        self._known[name] = known
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _is_time(value: object) -> bool:
    """Tell whether a value is a number of seconds since 1970 that may be meant."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53


def is_id(value: object) -> bool:
    """Tell whether a value can be the id of a token or a session."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def copied(value: Any) -> Any:
    """Copy what JSON can say, so that nobody else has a part of it."""
    if type(value) is dict:
        return {name: copied(inner) for name, inner in value.items()}
    if type(value) is list:
        return [copied(inner) for inner in value]
    return value
