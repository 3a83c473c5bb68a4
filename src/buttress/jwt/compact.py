"""Tokens as they are written (RFC 7515, 3.1), read without any leniency."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, NoReturn

from buttress.jwt.refusal import TokenRefused

#: The most characters of a token that is looked at.
LONGEST = 8192
#: The most lists and objects in one of its parts, so that none is too deep to be copied.
NESTED = 200
#: Members of a header that name a key of the sender's own, or change what is signed.
REFUSED = frozenset("crit b64 jwk jku x5c x5t x5t#S256 x5u zip enc".split())


class Compact(NamedTuple):
    """A token in its parts; nothing of it is verified."""

    header: dict[str, Any]
    #: What the signature is of.
    signed: bytes
    payload: bytes
    signature: bytes


def read_compact(token: object, longest: int = LONGEST) -> Compact:
    """Take a token apart. Raises `TokenRefused` for whatever is not exactly as it should be."""
    if not isinstance(token, str) or not token.isascii():
        raise TokenRefused("The token is no text of ASCII characters")
    if len(token) > longest:
        raise TokenRefused(f"The token is longer than {longest} characters")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenRefused("The token has not three parts")
    raw_header, payload, signature = (_decoded(part) for part in parts)
    header = read_object(raw_header)
    if not REFUSED.isdisjoint(header):
        raise TokenRefused("The token's header has a member that is refused")
    return Compact(header, token.rpartition(".")[0].encode(), payload, signature)


def write_compact(header: dict[str, Any], payload: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Put a token together, and sign it."""
    head = json.dumps(header, separators=(",", ":")).encode()
    signed = f"{_encoded(head)}.{_encoded(payload)}"
    return f"{signed}.{_encoded(sign(signed.encode()))}"


def read_object(raw: bytes) -> dict[str, Any]:
    """Read a JSON object in which no name is twice, and which is text that can be written again.

    Raises `TokenRefused`.
    """
    if raw.count(b"[") + raw.count(b"{") > NESTED:
        raise TokenRefused("A part of the token is too deep")
    try:
        found = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
        if b"\\u" in raw:  # an escape may be half of a character
            json.dumps(found, ensure_ascii=False).encode()
    except ValueError:
        raise TokenRefused("A part of the token is no JSON as it should be") from None
    if not isinstance(found, dict):
        raise TokenRefused("A part of the token is no JSON object")
    return found


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(part: str) -> bytes:
    """Decode Base64 for URLs: without padding, and with no bits that say nothing."""
    try:
        raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise TokenRefused("A part of the token is no Base64 for URLs") from None
    if _encoded(raw) != part:
        raise TokenRefused("A part of the token is no Base64 for URLs")
    return raw


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    listed = list(pairs)
    found = dict(listed)
    if len(found) != len(listed):
        raise ValueError
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
