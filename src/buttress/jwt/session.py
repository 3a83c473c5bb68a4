"""A session: all tokens of one login, each of which may follow from another until it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

#: What each token has anew; every other claim is handed on.
ANEW = frozenset({"exp", "fresh", "iat", "jti", "nbf", "type"})


def session_of(claims: Mapping[str, Any]) -> str:
    """Give the id of the session that a token is of; one without is the first of its own."""
    found: str = claims.get("sid") or claims["jti"]
    return found


def end_of(claims: Mapping[str, Any], seconds: float) -> float:
    """Give when the session of a token ends, which has lasted since the login."""
    began: float = claims.get("auth_time", claims.get("iat", 0))
    return began + seconds


def successor(claims: Mapping[str, Any], kind: str, now: int, until: float) -> dict[str, Any]:
    """Give the claims of a token that follows from another, and ends at a time.

    It is fresh no longer than the first would have been; no refresh token ever is. One of the same
    kind has the same proof against forged requests, which forms may hold that are open.
    """
    handed_on = {name: value for name, value in claims.items() if name not in ANEW}
    fresh = claims["fresh"]
    other = "csrf" in claims and kind != claims["type"]
    csrf = {"csrf": str(uuid4())} if other else {}
    return {
        "auth_time": claims.get("iat", now),
        "sid": session_of(claims),
        **handed_on,
        **csrf,
        "type": kind,
        "fresh": claims["exp"] if fresh is True else fresh,
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now,
        "exp": int(until),
    }
