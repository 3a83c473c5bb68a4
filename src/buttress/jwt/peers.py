"""What other services are told of who makes a request: a token for that identity, for a minute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from flask import current_app, has_request_context
from flask_jwt_extended import get_jwt

if TYPE_CHECKING:
    from buttress.auth import Principal
    from buttress.jwt.extension import Jwt
    from buttress.service import Service

#: For how many seconds the other service may take the token.
LASTS = 60
#: What the token of a request hands on: its session, and so its end by a logout.
HANDED_ON = ("sid", "auth_time")


def authorization(jwt: Jwt) -> str | None:
    """Give the Authorization header for who makes the current request.

    ``None`` outside of requests, for nobody, and on routes that ask for nobody. Raises
    `LifecycleError` where there is no key to sign with.
    """
    identity = _identity() if has_request_context() else None
    if identity is None:
        return None
    now = int(jwt.verifier.clock())
    claims = {
        **_parties(),
        "sid": uuid4().hex,
        "auth_time": now,
        **identity,
        "type": "access",
        "fresh": False,
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + LASTS,
    }
    return f"Bearer {jwt.signed(claims)}"


def _identity() -> dict[str, Any] | None:
    """Give what a token says of who makes this request, as its route has found out."""
    slot = cast("Service", current_app).slot("auth")
    principal: Principal | None = None if slot is None else slot.it.admitted
    if principal and principal.by == "bearer" and principal.claims.get("type") != "access":
        return None  # of another issuer, whose subjects are no users of ours
    if principal:
        scope = " ".join(sorted(principal.scopes))
        return {**_handed_on(principal.claims), "sub": principal.id, "scope": scope}
    claims = _verified()
    if not claims:
        return None
    return _handed_on(claims, "sub", "scope", "scp", "scopes")


def _verified() -> Mapping[str, Any]:
    """Give the claims that `jwt_required` has verified in this request; none where it has not."""
    try:
        return get_jwt()
    except RuntimeError:
        return {}


def _handed_on(claims: Mapping[str, Any], *more: str) -> dict[str, Any]:
    return {name: claims[name] for name in (*HANDED_ON, *more) if name in claims}


def _parties() -> dict[str, str]:
    """Give issuer and audience, where the settings name them."""
    given = {"iss": "JWT_ENCODE_ISSUER", "aud": "JWT_ENCODE_AUDIENCE"}
    found = {claim: current_app.config.get(key) for claim, key in given.items()}
    return {claim: value for claim, value in found.items() if value is not None}
