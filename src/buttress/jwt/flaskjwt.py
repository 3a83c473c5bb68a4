"""Flask-JWT-Extended 4.7, with our verification in place of its own.

It has no public hook for that, so everything of it that is private is touched here and nowhere
else; a test fails where another version is installed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from flask import Flask, current_app
from flask_jwt_extended import JWTManager, view_decorators
from flask_jwt_extended.exceptions import CSRFError, JWTDecodeError, NoAuthorizationError

from buttress.errors import Code, ConfigError, LifecycleError, Problem
from buttress.jwt.compact import write_compact

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from buttress.jwt.key import Key
    from buttress.jwt.settings import JwtSettings
    from buttress.jwt.verifier import Verifier

logger = logging.getLogger("buttress.jwt")

NAME = "flask-jwt-extended"
#: The settings of Flask-JWT-Extended that an application may set; the others are ours.
OPEN = (
    "JWT_ACCESS_COOKIE_", "JWT_ACCESS_CSRF_", "JWT_COOKIE_", "JWT_CSRF_", "JWT_HEADER_",
    "JWT_JSON_KEY", "JWT_QUERY_STRING_", "JWT_REFRESH_", "JWT_SESSION_COOKIE", "JWT_TOKEN_LOCATION",
)  # fmt: skip

#: Those that are another setting here.
REPLACED = {
    "JWT_ACCESS_TOKEN_EXPIRES": "JWT_ACCESS_TOKEN_EXPIRES_MINUTES",
    "JWT_DECODE_ALGORITHMS": "JWT_ALGORITHM",
    "JWT_DECODE_AUDIENCE": "JWT_AUDIENCE",
    "JWT_DECODE_ISSUER": "JWT_ISSUER",
    "JWT_DECODE_LEEWAY": "JWT_LEEWAY",
    "JWT_ENCODE_AUDIENCE": "JWT_AUDIENCE",
    "JWT_ENCODE_ISSUER": "JWT_ISSUER",
    "JWT_PRIVATE_KEY": "JWT_KEYS",
    "JWT_PUBLIC_KEY": "JWT_KEYS",
}

UNSIGNED = "There is no private key in JWT_KEYS, so no token can be signed."

Check = Callable[[dict[str, Any], dict[str, Any]], bool]


class Manager(JWTManager):
    """A manager of Flask-JWT-Extended that verifies as we do, and answers as the service does."""

    def __init__(self, verifier: Verifier, realm: str) -> None:
        super().__init__()
        self.verifier = verifier
        quoted = realm.replace("\\", "\\\\").replace('"', '\\"')
        answers = _Answers(f'Bearer realm="{quoted}"')
        self.unauthorized_loader(answers.missing)
        self.invalid_token_loader(answers.invalid)
        self.expired_token_loader(answers.expired)
        self.revoked_token_loader(answers.revoked)
        self.needs_fresh_token_loader(answers.not_fresh)
        self.user_lookup_error_loader(answers.unknown)
        self.token_verification_failed_loader(answers.unfit)
        signing = verifier.keys.signing
        named = signing is not None and signing.id is not None
        self._key_header = {"kid": signing.id} if signing is not None and named else {}
        super().encode_key_loader(lambda _: _private(signing))

    def blocked(self, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Tell whether a token that was verified is refused all the same."""
        return bool(self._own_blocklist(header, claims))

    def accepted(self, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Take note of a token that a request came with; false where it is refused after all."""
        return bool(self._own_verification(header, claims))

    # What an application sets by the decorators `token_in_blocklist_loader` and
    # `token_verification_loader` is asked beside ours, not instead.

    @property
    def _token_in_blocklist_callback(self) -> Check:
        return self.blocked

    @_token_in_blocklist_callback.setter
    def _token_in_blocklist_callback(self, callback: Check) -> None:
        self._own_blocklist = callback

    @property
    def _token_verification_callback(self) -> Check:
        return self.accepted

    @_token_verification_callback.setter
    def _token_verification_callback(self, callback: Check) -> None:
        self._own_verification = callback

    def decode_key_loader(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        """Refuse: keys are settings."""
        raise TypeError("There is no decode_key_loader: keys are settings, such as JWT_KEYS.")

    def encode_key_loader(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        """Refuse: keys are settings."""
        raise TypeError("There is no encode_key_loader: keys are settings, such as JWT_KEYS.")

    def _decode_jwt_from_config(
        self, encoded_token: str, csrf_value: str | None = None, allow_expired: bool = False
    ) -> dict[str, Any]:
        claims = self.verifier.verify(encoded_token, expired=allow_expired).claims
        if csrf_value:
            _check_csrf(claims, csrf_value)
        return claims

    def _encode_jwt_from_config(
        self,
        identity: Any,
        token_type: str,
        claims: Mapping[str, Any] | None = None,
        fresh: bool | float | timedelta = False,
        expires_delta: timedelta | Literal[False] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> str:
        """Make a token; it names its key, and the session that it is of."""
        if expires_delta is False:
            raise ValueError("A token must end: give expires_delta as a timedelta.")
        session = {"sid": uuid4().hex, "auth_time": int(self.verifier.clock())}
        return super()._encode_jwt_from_config(
            identity,
            token_type,
            {**session, **(claims or {})},
            fresh,
            expires_delta,
            {**self._key_header, **(headers or {})},
        )

    def signed(self, claims: dict[str, Any]) -> str:
        """Make a token of these claims and no others."""
        key = self.verifier.keys.signing
        if key is None:
            raise LifecycleError(UNSIGNED)
        return write_compact(
            {"alg": key.algorithm, "typ": "JWT", **self._key_header},
            current_app.json.dumps(claims).encode(),
            key.sign,
        )


class _Answers:
    """What is answered instead of a view: a 401 that says what is wrong (RFC 6750, 3)."""

    def __init__(self, challenge: str) -> None:
        self._challenge = challenge

    def missing(self, reason: str) -> ResponseReturnValue:
        return self._answer(reason)

    def invalid(self, reason: str) -> ResponseReturnValue:
        return self._answer(reason, "invalid_token")

    def expired(self, _header: object, _claims: object) -> ResponseReturnValue:
        return self._answer("Token has expired", "invalid_token")

    def revoked(self, _header: object, _claims: object) -> ResponseReturnValue:
        return self._answer("Token has been revoked", "invalid_token")

    def not_fresh(self, _header: object, _claims: object) -> ResponseReturnValue:
        # RFC 9470, 3.
        return self._answer("Fresh token required", "insufficient_user_authentication")

    def unknown(self, _header: object, _claims: object) -> ResponseReturnValue:
        return self._answer("The token is of nobody who is known", "invalid_token")

    def unfit(self, _header: object, _claims: object) -> ResponseReturnValue:
        return self._answer("The claims of the token are not accepted", "invalid_token")

    def _answer(self, reason: str, error: str | None = None) -> ResponseReturnValue:
        logger.info("a request is refused: %s", reason)
        said = self._challenge if error is None else f'{self._challenge}, error="{error}"'
        problem = Problem(Code.UNAUTHORIZED, reason, headers={"WWW-Authenticate": said})
        return current_app.handle_user_exception(problem)


def settle(app: Flask, settings: JwtSettings, secure: bool) -> float:
    """Give Flask-JWT-Extended its settings, and give the seconds that a refresh token lasts.

    ``secure`` keeps cookies off plain HTTP. Raises `ConfigError`.
    """
    problems = [
        f"{old} is not read: set {new}." for old, new in REPLACED.items() if old in app.config
    ]
    if app.config.get("JWT_IDENTITY_CLAIM", "sub") != "sub":
        problems.append("JWT_IDENTITY_CLAIM is not read: whose a token is stands in its sub.")
    if problems:
        raise ConfigError(problems)
    app.config.update(
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(minutes=settings.access_token_expires_minutes),
        JWT_ENCODE_ISSUER=settings.issuer,
        JWT_ENCODE_AUDIENCE=settings.audience,
    )
    app.config.setdefault("JWT_REFRESH_TOKEN_EXPIRES", timedelta(hours=settings.session_hours))
    app.config.setdefault("JWT_COOKIE_SECURE", secure)
    app.config.setdefault("JWT_COOKIE_SAMESITE", "Lax")
    lasting = app.config["JWT_REFRESH_TOKEN_EXPIRES"]
    seconds = lasting.total_seconds() if isinstance(lasting, timedelta) else lasting
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        raise ConfigError(["JWT_REFRESH_TOKEN_EXPIRES must be a time of more than 0 seconds."])
    return float(seconds)


def _private(key: Key | None) -> Any:
    if key is None:
        raise LifecycleError(UNSIGNED)
    return key.private


def _check_csrf(claims: Mapping[str, Any], value: str) -> None:
    known = claims.get("csrf")
    if not isinstance(known, str):
        raise JWTDecodeError("Missing claim: csrf")
    if not compare_digest(known.encode(), value.encode("utf-8", "replace")):
        raise CSRFError("CSRF double submit tokens do not match")


def _header_of(token: str) -> dict[str, Any]:
    """Give the header of a token that was verified a moment ago."""
    manager = current_app.extensions.get(NAME)
    if isinstance(manager, Manager):
        return manager.verifier.header(token)
    parsed: dict[str, Any] = _parsed_header(token)
    return parsed


def _from_json(refresh: bool) -> tuple[str, None]:
    """Read a token from a body, which may be JSON and no object."""
    try:
        found: tuple[str, None] = _read_json(refresh)
    except AttributeError:
        raise NoAuthorizationError("The JSON in the body is no object") from None
    return found


_views: Any = view_decorators
_parsed_header = _views.get_unverified_jwt_headers
_read_json = _views._decode_jwt_from_json
_views.get_unverified_jwt_headers = _header_of
_views._decode_jwt_from_json = _from_json
