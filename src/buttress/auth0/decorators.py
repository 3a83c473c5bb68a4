"""Decorators of views, and what belongs to a login, as backend_common named them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast

from flask import current_app, g, request

from buttress.auth0.extension import Auth0
from buttress.auth0.verifier import ClaimsRefused
from buttress.errors import ExtensionError, Problem
from buttress.jwt import TokenExpired, TokenRefused
from buttress.oidc import KeyUnknown
from buttress.service import Service
from buttress.web import PRINCIPAL

logger = logging.getLogger("buttress.auth0")

F = TypeVar("F", bound=Callable[..., Any])

#: The codes of what is answered, and what each says.
MISSING, INVALID, EXPIRED, CLAIMS, KEY = (
    "authorization_header_missing", "invalid_header", "token_expired", "invalid_claims",
    "invalid_key",
)  # fmt: skip
SAID = {
    MISSING: "Send an access token: Authorization: Bearer …",
    INVALID: "The header Authorization has no access token that can be trusted.",
    EXPIRED: "The access token has expired.",
    CLAIMS: "The access token is not for this service.",
    KEY: "The access token is signed by a key that is not known.",
}


class _Refusal(NamedTuple):
    """Why a request is refused."""

    code: str
    realm: str

    @property
    def headers(self) -> dict[str, str]:
        """Give the challenge (RFC 6750, 3); one who sent no token is told of no error."""
        quoted = self.realm.replace("\\", "\\\\").replace('"', '\\"')
        error = "" if self.code == MISSING else ', error="invalid_token"'
        return {"WWW-Authenticate": f'Bearer realm="{quoted}"{error}'}

    @property
    def body(self) -> dict[str, str]:
        """Give what `mozilla_accept_token` says."""
        return {"error": "invalid_token", "error_description": SAID[self.code]}

    def problem(self, **extra: str) -> Problem:
        """Give the answer 401."""
        said = SAID[self.code]
        return Problem(self.code, said, status=401, headers=self.headers, description=said, **extra)


def requires_auth(view: F) -> F:
    """Let a view be called with an access token alone.

    ``g.userinfo`` has its claims, with all that it allows in ``scopes``, and ``g.access_token``
    is the token. Raises `Problem` 401, and `Unavailable` while the tenant is down and its key
    is not known.
    """

    @wraps(view)
    def call(*args: Any, **kwargs: Any) -> Any:
        refusal = _recognised()
        if refusal is not None:
            raise refusal.problem()
        return current_app.ensure_sync(view)(*args, **kwargs)

    return cast(F, call)


def mozilla_accept_token(render_errors: bool = True) -> Callable[[F], F]:
    """Let a view be called with an access token alone, as `requires_auth` does.

    Its errors have the members ``error`` and ``error_description`` too. With
    ``render_errors=False`` they are not raised: the call gives ``({…}, 401, {…})`` for whoever
    decorates it further.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def call(*args: Any, **kwargs: Any) -> Any:
            refusal = _recognised()
            if refusal is None:
                return current_app.ensure_sync(view)(*args, **kwargs)
            if render_errors:
                raise refusal.problem(**refusal.body)
            return refusal.body, 401, refusal.headers

        return cast(F, call)

    return decorate


def has_scopes(have: str | Iterable[str], need: str | Iterable[str]) -> bool:
    """Tell whether all scopes that are needed are there; a text is split at its spaces."""
    return _words(have) >= _words(need)


def build_state() -> str:
    """Begin a login in this browser: give its ``state``, good for ten minutes."""
    return _auth0().login.state().text


def check_state(state: str) -> bool:
    """Tell whether this browser began the login with this ``state``, and it is not over."""
    return _auth0().login.check(state) is not None


def auth0_login(scope: str = "openid profile email") -> str:
    """Give the address at the tenant where this browser logs in; a view may return it."""
    return _auth0().login.url(scope)


def auth0_check() -> dict[str, Any]:
    """Give ``{expires, access_token, id_token}`` for the ``{state, code}`` of a login.

    ``expires`` is in seconds since 1970. Raises `Problem` 400 for what this browser did not
    begin, 403 for a login that is not accepted, and `Unavailable` while the tenant is down.
    """
    return _auth0().login.finish()


def _recognised() -> _Refusal | None:
    """Have ``g`` say who makes the request, or say why it is refused."""
    auth0 = _auth0()
    header = request.headers.get("Authorization")
    if header is None:
        return _Refusal(MISSING, auth0.realm)
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return _Refusal(INVALID, auth0.realm)
    try:
        userinfo = auth0.verify(token)
    except TokenRefused as refused:
        logger.info("401: %s %s: %s", request.method, request.path, refused.reason)
        return _Refusal(_code_of(refused), auth0.realm)
    g.userinfo, g.access_token = userinfo, token
    request.environ[PRINCIPAL] = userinfo["sub"]  # caches must not keep the answer
    return None


def _code_of(refused: TokenRefused) -> str:
    if isinstance(refused, TokenExpired):
        return EXPIRED
    if isinstance(refused, ClaimsRefused):
        return CLAIMS
    return KEY if isinstance(refused, KeyUnknown) else INVALID


def _auth0() -> Auth0:
    slot = current_app.slot("auth0") if isinstance(current_app, Service) else None
    if slot is None:
        raise ExtensionError("auth0", f"{current_app.name} has no extension 'auth0': add it.")
    return cast(Auth0, slot.it)


def _words(scopes: str | Iterable[str]) -> set[str]:
    return set(scopes.split() if isinstance(scopes, str) else scopes)
