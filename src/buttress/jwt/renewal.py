"""Renewal: which answers may bring a new token, and where in them it goes."""

from __future__ import annotations

from flask import Response, current_app
from flask_jwt_extended import set_access_cookies


def has_room(response: Response, place: str | None) -> bool:
    """Tell whether a new token may go where the old one came from.

    What the view itself has sent there stays, such as the end of a cookie; and nothing goes into
    an answer that somebody else may get from a cache.
    """
    if place == "headers":
        present = current_app.config["JWT_HEADER_NAME"] in response.headers
    elif place == "cookies":
        begin = f"{current_app.config['JWT_ACCESS_COOKIE_NAME']}="
        present = any(it.startswith(begin) for it in response.headers.getlist("Set-Cookie"))
    else:
        return False
    return not present and not _is_shared(response, place)


def put(response: Response, place: str | None, token: str) -> None:
    """Put a new token where the old one came from; no cache keeps it (RFC 6749, 5.1)."""
    response.headers.setdefault("Cache-Control", "no-store")
    if place == "cookies":
        set_access_cookies(response, token)
        return
    name, kind = (current_app.config[f"JWT_HEADER_{it}"] for it in ("NAME", "TYPE"))
    response.headers[name] = f"{kind} {token}".lstrip()


def _is_shared(response: Response, place: str) -> bool:
    """Tell whether a cache for many may keep an answer (RFC 9111, 3.5, and 3 for cookies)."""
    policy = response.cache_control
    if not policy or policy.private or policy.no_store:
        return False
    asked = policy.public or policy.must_revalidate or policy.s_maxage is not None
    return bool(asked) or place == "cookies"
