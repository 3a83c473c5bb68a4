"""What a signed token says of itself, for the log and for ``buttress auth why``."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterator
from typing import Any

import msgspec

#: The most characters of a token that is looked at, and of a value that is shown.
LONGEST, SHOWN = 8192, 80
#: The most seconds since 1970 that a time is compared with the clock for.
LATEST = 2**53


def described(token: str) -> str:
    """Describe a token that is not trusted; nothing of its signature is shown."""
    parts = token.split(".") if len(token) <= LONGEST else []
    if len(parts) != 3:
        return f"{len(token)} characters that are no signed token"
    header, claims = (_object(part) for part in parts[:2])
    if header is None or claims is None:
        return "its header or its claims are no JSON object in base64url"
    told = [f"{name} {_shown(header.get(name))}" for name in ("alg", "kid", "typ")]
    told += [f"{name} {_shown(claims[name])}" for name in ("iss", "aud", "type") if name in claims]
    return ", ".join([*told, *_times(claims)])


def _times(claims: dict[str, Any]) -> Iterator[str]:
    """Say how far the times of a token are from this clock."""
    now = time.time()
    for name in ("iat", "nbf", "exp"):
        value = claims.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LATEST:
            yield f"{name} is no time"
            continue
        seconds = value - now
        yield f"{name} {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'ago'}"


def _object(part: str) -> dict[str, Any] | None:
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=dict[str, Any])
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        return None


def _shown(value: object) -> str:
    return ascii(value)[:SHOWN]
