"""The extension ``jwt``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4
from weakref import proxy

from flask import Response, after_this_request, request
from flask_jwt_extended import (
    create_access_token,
    create_refresh_token,
    get_jwt,
    get_jwt_header,
    get_jwt_request_location,
)

from buttress.errors import ConfigError, ExtensionError, Unavailable
from buttress.extension import Extension
from buttress.jwt.denied import Denied
from buttress.jwt.flaskjwt import NAME, OPEN, Manager, settle
from buttress.jwt.key import Key, Keys, read_keys, secret
from buttress.jwt.memory import MemoryDenied
from buttress.jwt.peers import authorization
from buttress.jwt.refusal import TokenExpired, TokenRefused
from buttress.jwt.renewal import has_room, put
from buttress.jwt.session import end_of, session_of, successor
from buttress.jwt.settings import JwtSettings
from buttress.jwt.verifier import Verifier, copied, is_id
from buttress.web import PRINCIPAL

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.jwt")

#: For how many seconds an id is refused whose token is not known: ten years.
FOR_GOOD = 10 * 366 * 86_400.0


class Jwt(Manager):
    """What ``app.jwt`` is: tokens, and the manager of Flask-JWT-Extended with its loaders."""

    service: Service

    def __init__(
        self,
        settings: JwtSettings,
        verifier: Verifier,
        denied: Denied,
        realm: str,
        refresh_seconds: float,
    ) -> None:
        super().__init__(verifier, realm)
        self._refresh = refresh_seconds
        self._access = settings.access_token_expires_minutes * 60
        self._session = settings.session_hours * 3600
        self._renews = settings.renew
        self._denied = denied
        self._warned = False
        #: Tells of whom tokens are refused although they are good, such as of disabled users.
        self.refuses: Callable[[Mapping[str, Any]], bool] | None = None
        #: Gives what a new token says of its subject, by which that may refuse it one day.
        self.marks: Callable[[str], Mapping[str, Any]] | None = None

    def verify(self, token: str, kind: str = "access") -> Mapping[str, Any]:
        """Give the claims of a token. Raises `TokenRefused`, also for one that was revoked.

        Raises `Unavailable` where it is not known whether it was.
        """
        header, claims = self.verifier.verify(token)
        if claims["type"] != kind:
            raise TokenRefused("The token is of another kind")
        if self.blocked(header, claims):
            raise TokenRefused("Token has been revoked")
        if not super().accepted(header, claims):
            raise TokenRefused("The claims of the token are not accepted")
        return claims

    def issue(self, identity: Any, claims: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Begin a session: give a fresh access token and a refresh token (RFC 6749, 5.1).

        ``claims`` are in both, and in every token that follows from them.
        """
        both = {
            "auth_time": int(self.verifier.clock()),
            **(claims or {}),
            "sid": uuid4().hex,
        }
        return _pair(
            create_access_token(identity, fresh=True, additional_claims=both),
            create_refresh_token(identity, additional_claims=both),
        )

    def refresh(self, claims: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Give an access token and a refresh token for the refresh token of this request.

        That one cannot be used again; who tries ends the session. ``claims`` replace those handed
        on. Raises `TokenRefused`, and `RuntimeError` on a route that takes no refresh tokens.
        """
        held = get_jwt()
        if held.get("type") != "refresh":
            raise RuntimeError("refresh() belongs into a route with @jwt_required(refresh=True).")
        if self._is_over(held):
            raise TokenExpired(get_jwt_header(), held)
        if not self._deny(held["jti"], held["exp"]):
            self._end_session(held)
            raise TokenRefused("Token has been revoked")
        changed = {**held, **(claims or {})}
        return _pair(
            self._following(changed, "access", self._access),
            self._following(changed, "refresh", self._refresh),
        )

    def revoke(self, what: str | Mapping[str, Any]) -> None:
        """Refuse a token and all others of its session, such as ``revoke(get_jwt())`` at logout.

        ``what`` are its claims, the token itself, or one id, a ``jti`` or ``sid``, which is all
        that is refused then. Raises `TokenRefused` for a token that is none, and `Unavailable`
        where other processes cannot be told.
        """
        if isinstance(what, str) and what.count(".") != 2:
            if not is_id(what):
                raise ValueError("That is no id of a token: it has 1 to 128 visible characters.")
            self._deny(what, self.verifier.clock() + FOR_GOOD)
            return
        held = self.verifier.verify(what, expired=True).claims if isinstance(what, str) else what
        self._deny(held["jti"], held["exp"])
        self._end_session(held)

    def blocked(self, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Tell whether a token was revoked; a refresh token that is used twice ends its session."""
        if self._is_disowned(claims):
            return True
        session = session_of(claims)
        if not self._denied.has(claims["jti"], session):
            return super().blocked(header, claims)
        if claims["type"] == "refresh" and not self._denied.has(session):
            logger.warning("a refresh token is used twice: its session ends")
            self._end_session(claims)
        return True

    def claims_of(self, identity: Any) -> dict[str, Any]:
        """Give what a new token says beside the claims of its own: its session, and the marks."""
        subject = None if self.marks is None else self._user_identity_callback(identity)
        marks = self.marks(subject) if self.marks and isinstance(subject, str) else {}
        return {**marks, **super().claims_of(identity)}

    def accepted(self, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Take note of a token that a request came with; false where it is refused after all."""
        if not super().accepted(header, claims):
            return False
        request.environ.setdefault(PRINCIPAL, claims["sub"])
        if claims["type"] == "access":
            self.renew(claims)
        return True

    def renew(self, claims: Mapping[str, Any], place: str | None = None) -> None:
        """Have the answer to this request bring a token after this one, if the settings say so.

        ``place`` is where the token came from, if it is not Flask-JWT-Extended that knows.
        """
        if self._renews:
            after_this_request(partial(self._renew, copied(claims), place))

    def _renew(self, claims: dict[str, Any], place: str | None, response: Response) -> Response:
        place = place or get_jwt_request_location()  # none, if the request was refused after all
        if not has_room(response, place) or self._is_over(claims) or not self._still_good(claims):
            return response
        put(response, place, self._following(claims, "access", self._access))
        return response

    def _still_good(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the view, such as a logout, has not revoked the token."""
        try:
            denied = self._denied.has(claims["jti"], session_of(claims))
            return not denied and not self._is_disowned(claims)
        except Unavailable:
            return False

    def _is_disowned(self, claims: Mapping[str, Any]) -> bool:
        return self.refuses is not None and self.refuses(claims)

    def _is_over(self, claims: Mapping[str, Any]) -> bool:
        return end_of(claims, self._session) <= self.verifier.clock()

    def _following(self, claims: Mapping[str, Any], kind: str, seconds: float) -> str:
        now = self.verifier.clock()
        until = min(now + seconds, end_of(claims, self._session))
        return self.signed(successor(claims, kind, int(now), until))

    def _end_session(self, claims: Mapping[str, Any]) -> None:
        longest = self.verifier.clock() + max(self._session, self._refresh)
        self._deny(session_of(claims), max(claims["exp"], longest))

    def _deny(self, identity: str, until: float) -> bool:
        if not self._denied.shared and not self._warned:
            self._warned = True
            logger.warning("tokens are revoked in one process only: add the extension 'db'")
        return self._denied.add(identity, until)


class JwtExtension(Extension[JwtSettings, Jwt]):
    """Sign and verify tokens, by Flask-JWT-Extended's interface."""

    name = "jwt"
    settings = JwtSettings
    reserves = OPEN

    def build(self, app: Service, settings: JwtSettings) -> Jwt:
        """Make it. Raises `ConfigError` for keys that are none, or no good ones."""
        verifier = Verifier(
            keys_of(settings),
            issuer=settings.issuer,
            audience=settings.audience,
            leeway=settings.leeway,
        )
        refresh_seconds = settle(app, settings, secure=app.mode == "production")
        realm = getattr(getattr(app.settings, "auth", None), "realm", "") or app.name
        made = Jwt(settings, verifier, _denied(app, verifier), realm, refresh_seconds)
        made.init_app(app)
        made.service = cast("Service", proxy(app))
        auth = app.slot("auth")  # built by now, as EXTENSIONS has them in order
        if auth is not None:
            made.refuses, made.marks = auth.it.disowns, auth.it.mark_of
        minutes = settings.access_token_expires_minutes
        logger.info("JWT configured, tokens expire in %g minutes", minutes)
        return made

    def start(self, it: Jwt) -> None:
        """Have peers told who makes a request, where a call asks for that.

        Raises `ExtensionError` where another manager verifies tokens instead of this one.
        """
        if it.service.extensions[NAME] is not it:
            raise ExtensionError(
                "jwt",
                "A JWTManager(app) stands in the place of app.jwt, so no token would be verified "
                "and revoked as it should be: remove it, and use app.jwt, which has its loaders.",
            )
        slot = it.service.slot("peers")
        if slot is not None and slot.it.authorize is None:
            slot.it.authorize = partial(authorization, it)


def keys_of(settings: JwtSettings) -> Keys:
    """Make the keys that the settings mean. Raises `ConfigError`."""
    try:
        keys = Keys(_keys(settings))
    except ValueError as error:
        name = "JWT_KEYS" if settings.keys else "JWT_SECRET_KEY and JWT_PREVIOUS_KEYS"
        raise ConfigError([f"{name}: {error}."]) from error
    if keys.signing is None and settings.renew:
        raise ConfigError(
            ["JWT_RENEW needs a private key in JWT_KEYS: add one, or set it to false."]
        )
    if keys.signing is not None and keys.signing.algorithm != settings.algorithm:
        raise ConfigError(
            [
                f"JWT_ALGORITHM is {settings.algorithm}, but the first private key of JWT_KEYS is "
                f"for {keys.signing.algorithm}."
            ]
        )
    return keys


def _keys(settings: JwtSettings) -> list[Key]:
    if settings.secret_key is not None:
        older = [secret(key.reveal(), until) for key, until in settings.previous]
        return [secret(settings.secret_key.reveal()), *older]
    found: list[Key] = []
    for path in settings.keys:
        try:
            found += read_keys(path)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return found


# What needs SQLAlchemy is imported only for a service that has a database.


def _denied(app: Service, verifier: Verifier) -> Denied:
    slot = app.slot("db")
    if slot is None:
        return MemoryDenied(verifier.clock)
    module = import_module("buttress.jwt.sql")
    slot.it.migrations.locations.append(module.DENIED)
    return cast(Denied, module.SqlDenied(slot.it, verifier.clock))


def _pair(access: str, refresh: str) -> dict[str, str]:
    return {"access_token": access, "refresh_token": refresh, "token_type": "Bearer"}
