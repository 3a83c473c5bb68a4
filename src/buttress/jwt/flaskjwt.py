"""Flask-JWT-Extended 4.7, with our verification in place of its own.

It has no public hook for that, so everything of it that is private is touched here and nowhere
else; a test fails where another version is installed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
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
    "JWT_ACCESS_COOKIE_NAME", "JWT_ACCESS_COOKIE_PATH", "JWT_ACCESS_CSRF_COOKIE_NAME",
    "JWT_ACCESS_CSRF_COOKIE_PATH", "JWT_ACCESS_CSRF_FIELD_NAME", "JWT_ACCESS_CSRF_HEADER_NAME",
    "JWT_COOKIE_CSRF_PROTECT", "JWT_COOKIE_DOMAIN", "JWT_COOKIE_SAMESITE", "JWT_COOKIE_SECURE",
    "JWT_CSRF_CHECK_FORM", "JWT_CSRF_IN_COOKIES", "JWT_CSRF_METHODS", "JWT_ENCODE_NBF",
    "JWT_HEADER_NAME", "JWT_HEADER_TYPE", "JWT_JSON_KEY", "JWT_QUERY_STRING_NAME",
    "JWT_QUERY_STRING_VALUE_PREFIX", "JWT_REFRESH_COOKIE_NAME", "JWT_REFRESH_COOKIE_PATH",
    "JWT_REFRESH_CSRF_COOKIE_NAME", "JWT_REFRESH_CSRF_COOKIE_PATH", "JWT_REFRESH_CSRF_FIELD_NAME",
    "JWT_REFRESH_CSRF_HEADER_NAME", "JWT_REFRESH_JSON_KEY", "JWT_REFRESH_TOKEN_EXPIRES",
    "JWT_SESSION_COOKIE", "JWT_TOKEN_LOCATION",
)  # fmt: skip

#: Those that are not read, and what to do instead.
NOT_READ = {
    "JWT_ACCESS_TOKEN_EXPIRES": "set JWT_ACCESS_TOKEN_EXPIRES_MINUTES",
    "JWT_DECODE_ALGORITHMS": "set JWT_ALGORITHM",
    "JWT_DECODE_AUDIENCE": "set JWT_AUDIENCE",
    "JWT_DECODE_ISSUER": "set JWT_ISSUER",
    "JWT_DECODE_LEEWAY": "set JWT_LEEWAY",
    "JWT_ENCODE_AUDIENCE": "set JWT_AUDIENCE",
    "JWT_ENCODE_ISSUER": "set JWT_ISSUER",
    "JWT_ERROR_MESSAGE_KEY": "the reason stands where ERRORS_STYLE has it",
    "JWT_IDENTITY_CLAIM": "whose a token is stands in its sub",
    "JWT_PRIVATE_KEY": "set JWT_KEYS",
    "JWT_PUBLIC_KEY": "set JWT_KEYS",
    "JWT_VERIFY_SUB": "the sub of a token is always a text",
}
#: What they may be set to all the same, for it is so.
SAME = {"JWT_ERROR_MESSAGE_KEY": "msg", "JWT_IDENTITY_CLAIM": "sub", "JWT_VERIFY_SUB": True}
#: Where a token may be.
LOCATIONS = ("headers", "cookies", "query_string", "json")

UNSIGNED = "There is no private key in JWT_KEYS, so no token can be signed."


class _Beside:
    """The place of a function that an application sets by a decorator of the manager.

    What it sets is kept under a name of our own, and Flask-JWT-Extended finds our method, which
    asks it as well.
    """

    def __init__(self, method: str, kept: str) -> None:
        self._method = method
        self._kept = kept

    def __get__(self, it: object, owner: type) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(it, self._method)
        return found

    def __set__(self, it: object, callback: Callable[..., Any]) -> None:
        setattr(it, self._kept, callback)


class Manager(JWTManager):
    """A manager of Flask-JWT-Extended that verifies as we do, and answers as the service does."""

    _own_blocklist: Callable[..., Any]
    _own_verification: Callable[..., Any]
    _own_claims: Callable[..., Any]
    _own_headers: Callable[..., Any]

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

    def claims_of(self, identity: Any) -> dict[str, Any]:
        """Give what a new token says beside the claims of its own: the session that it begins."""
        session = {"sid": uuid4().hex, "auth_time": int(self.verifier.clock())}
        return {**session, **self._own_claims(identity)}

    def headers_of(self, identity: Any) -> dict[str, Any]:
        """Give what the header of a new token says: which key signs it."""
        return {**self._key_header, **self._own_headers(identity)}

    _token_in_blocklist_callback = _Beside("blocked", "_own_blocklist")
    _token_verification_callback = _Beside("accepted", "_own_verification")
    _user_claims_callback = _Beside("claims_of", "_own_claims")
    _jwt_additional_header_callback = _Beside("headers_of", "_own_headers")

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
        """Make a token, which must end."""
        if expires_delta is False:
            raise ValueError("A token must end: give expires_delta as a timedelta.")
        return super()._encode_jwt_from_config(
            identity, token_type, claims, fresh, expires_delta, headers
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
    config = app.config
    lasting = config.get("JWT_REFRESH_TOKEN_EXPIRES", timedelta(hours=settings.session_hours))
    seconds = lasting.total_seconds() if isinstance(lasting, timedelta) else lasting
    problems = list(_problems(config, seconds))
    if problems:
        raise ConfigError(problems)
    config.update(
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(minutes=settings.access_token_expires_minutes),
        JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=seconds),
        JWT_ENCODE_ISSUER=settings.issuer,
        JWT_ENCODE_AUDIENCE=settings.audience,
    )
    config.setdefault("JWT_COOKIE_SECURE", secure)
    config.setdefault("JWT_COOKIE_SAMESITE", "Lax")
    return float(seconds)


def _problems(config: Mapping[str, Any], refresh_seconds: Any) -> Iterator[str]:
    for key, instead in NOT_READ.items():
        if config.get(key) not in (None, SAME.get(key)):
            yield f"{key} is not read: {instead}."
    numeric = isinstance(refresh_seconds, int | float) and not isinstance(refresh_seconds, bool)
    if not numeric or not refresh_seconds > 0:
        yield "JWT_REFRESH_TOKEN_EXPIRES must be a time of more than 0 seconds."
    given = config.get("JWT_TOKEN_LOCATION", "headers")
    places = (given,) if isinstance(given, str) else given
    if not isinstance(places, Collection) or not places or {*map(str, places)} - {*LOCATIONS}:
        yield f"JWT_TOKEN_LOCATION must name some of {', '.join(LOCATIONS)}."


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
