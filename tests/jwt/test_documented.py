"""What Flask-JWT-Extended documents, beside the stock extension: both answer the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import product
from typing import Any

import flask_jwt_extended as fje
import jwt as pyjwt
import pytest
from flask import Flask, Response, jsonify, render_template_string, request
from werkzeug.test import TestResponse

from buttress.jwt import JwtExtension
from tests.jwt.conftest import SECRET, bearer, protect, route
from tests.services import Make

Use = Callable[[Flask, fje.JWTManager], Iterator[object]]
USES: dict[str, tuple[Use, dict[str, Any]]] = {}

#: On both sides, since the defaults here are others.
COMMON = {
    "JWT_SECRET_KEY": SECRET,
    "JWT_COOKIE_SAMESITE": "Lax",
    "JWT_REFRESH_TOKEN_EXPIRES": timedelta(hours=12),
}
#: What is answered here where the stock extension says something else: docs/jwt.md tells why.
STATUSES = {422: 401, 400: 401}
WORDS = {
    "Not enough segments": "The token has not three parts",
    "Subject must be a string": "The token has no subject",
    "Error loading the user ann": "The token is of nobody who is known",
    "User claims verification failed": "The claims of the token are not accepted",
}
#: Claims that only tokens of ours have.
OURS = {"sid", "auth_time"}


def use(**settings: Any) -> Callable[[Use], Use]:
    """Have a use of the interface tried with these settings."""

    def kept(function: Use) -> Use:
        USES[function.__name__] = (function, settings)
        return function

    return kept


def seen(answer: TestResponse) -> tuple[object, ...]:
    """Give what counts of an answer: status, words, and the cookies without their values."""
    # What they last is in Max-Age too, and Expires changes while a test runs.
    given = (re.sub(r"(?<=Expires=)[^;]+", "", it) for it in answer.headers.getlist("Set-Cookie"))
    cookies = [it.split("; ") for it in given]
    kept = sorted([name.partition("=")[0], *sorted(rest)] for name, *rest in cookies)
    said: Any = answer.get_json(silent=True)
    if isinstance(said, dict) and "msg" in said:
        words, status = said["msg"], answer.status_code
        return STATUSES.get(status, status), WORDS.get(words, words), kept
    if isinstance(said, dict) and "detail" in said:
        return answer.status_code, said["detail"], kept
    return answer.status_code, said, kept


def access(app: Flask, identity: Any = "ann", **options: Any) -> Any:
    """Make an access token outside of requests."""
    with app.app_context():
        return fje.create_access_token(identity, **options)


def refresh(app: Flask, **options: Any) -> Any:
    """Make a refresh token outside of requests."""
    with app.app_context():
        return fje.create_refresh_token("ann", **options)


def spoilt(token: str) -> str:
    """Give the token with another signature."""
    return token.rpartition(".")[0] + ".c2lnbmVk"


def claims(app: Flask, token: str) -> dict[str, Any]:
    """Give what is the same in each token that is made so, with types for the rest."""
    with app.app_context():
        found = fje.decode_token(token)
    begin = found["iat"]
    same = {name: found[name] for name in found.keys() - OURS - {"jti", "csrf", "iat"}}
    spans = {name: round(same[name] - begin) for name in ("exp", "nbf") if name in same}
    return {**same, **spans, "types": [type(found.get(name)) for name in ("jti", "csrf", "iat")]}


def who() -> dict[str, Any]:
    """Say who asks."""
    return {"id": fje.get_jwt_identity(), "location": fje.get_jwt_request_location()}


def asked(app: Flask, path: str, tokens: list[str], **options: Any) -> Iterator[object]:
    """Ask a path once with each token in the header, and once without."""
    client = app.test_client()
    for token in tokens:
        yield seen(client.get(path, headers=bearer(token), **options))
    yield seen(client.get(path, **options))


@use()
def basic_usage(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Protect a view, without and with options."""
    protect(app, "/me", who)
    protect(app, "/maybe", who, optional=True)
    protect(app, "/fresh", who, fresh=True)
    protect(app, "/refresh", who, refresh=True)
    protect(app, "/any", who, verify_type=False)
    made = [
        *(access(app), access(app, fresh=True), access(app, fresh=timedelta(minutes=5))),
        *(access(app, fresh=timedelta(minutes=-5)), refresh(app), spoilt(access(app)), "x"),
        *(access(app, expires_delta=timedelta(seconds=-5)), access(app, identity=7)),
    ]
    for path in ("/me", "/maybe", "/fresh", "/refresh", "/any"):
        yield from asked(app, path, made)
    yield seen(app.test_client().options("/me"))


@use()
def headers(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Send the header in every form."""
    protect(app, "/me", who)
    good = access(app)
    for value in (
        *("", "Bearer", "Bearer ", f"bearer {good}", f"Bearer  {good} ", f"Bearer {good} x"),
        *(f"Basic x, Bearer {good}", f"Bearer {good},", f"Bearer {good}, Bearer {good}", good),
    ):
        yield seen(app.test_client().get("/me", headers={"Authorization": value}))


@use(JWT_HEADER_NAME="X-Token", JWT_HEADER_TYPE="")
def another_header(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Have the token in a header of another name, without a type."""
    protect(app, "/me", who)
    for name, value in product(("X-Token", "Authorization"), (access(app), f"JWT {access(app)}")):
        yield seen(app.test_client().get("/me", headers={name: value}))


@use(JWT_QUERY_STRING_NAME="t", JWT_QUERY_STRING_VALUE_PREFIX="JWT ", JWT_JSON_KEY="a")
def other_places(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Have the token in the query or in the body."""
    protect(app, "/query", who, locations="query_string")
    protect(app, "/json", who, locations=["json"])
    protect(app, "/refresh", who, locations=["json"], refresh=True)
    protect(app, "/either", who, locations=["json", "query_string", "headers"])
    client, good = app.test_client(), access(app)
    for path in ("/query", "/either"):
        for value in ("", good, f"JWT {good}", "JWT x"):
            yield seen(client.get(path, query_string={"t": value}))
    for path, body in product(
        ("/json", "/refresh", "/either"), ({"a": good}, {"refresh_token": refresh(app)}, {}, None)
    ):
        yield seen(client.post(path, json=body))
    yield seen(client.post("/json", data={"a": good}))
    yield seen(client.post("/json", data="{", content_type="application/json"))


def with_cookies(app: Flask) -> None:
    """Add a login, a refresh and a logout by cookies."""

    def login() -> Response:
        answer = jsonify(login=True)
        seconds = request.args.get("max_age", type=int)
        options: dict[str, Any] = {"max_age": seconds, "domain": request.args.get("domain")}
        fje.set_access_cookies(answer, fje.create_access_token("ann"), **options)
        fje.set_refresh_cookies(answer, fje.create_refresh_token("ann"), **options)
        return answer

    def renew() -> Response:
        answer = jsonify(refresh=True)
        fje.set_access_cookies(answer, fje.create_access_token(fje.get_jwt_identity()))
        return answer

    def logout() -> Response:
        answer = jsonify(login=False)
        fje.unset_jwt_cookies(answer)
        return answer

    route(app, "/login", login)
    protect(app, "/refresh", renew, refresh=True)
    route(app, "/logout", logout)
    protect(app, "/me", who)


def cookies(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Log in, write with and without proof, refresh and log out, by cookies alone."""
    with_cookies(app)
    client = app.test_client()
    yield seen(client.get("/me"))
    yield seen(client.post("/login?domain=shop.example&max_age=60"))
    yield seen(client.post("/login"))
    proofs: list[dict[str, Any]] = [{}, {"headers": {"X-CSRF-TOKEN": "x"}}]
    for kind in ("access", "refresh"):
        name, path = (app.config[f"JWT_{kind.upper()}_COOKIE_{it}"] for it in ("NAME", "PATH"))
        made = client.get_cookie(name, path=path)
        assert made is not None
        with app.app_context():
            proof = fje.decode_token(made.value).get("csrf", "")
        name = app.config[f"JWT_{kind.upper()}_CSRF_HEADER_NAME"]
        proofs += [{"headers": {name: proof}}, {"data": {"csrf_token": proof}}]
    for path, proof in product(("/me", "/refresh"), proofs):
        yield seen(client.get(path))
        yield seen(client.post(path, **proof))
    yield seen(client.post("/logout"))
    yield seen(client.get("/me"))


for number, given in enumerate(
    (
        {},
        {"JWT_COOKIE_CSRF_PROTECT": False, "JWT_SESSION_COOKIE": False},
        {"JWT_CSRF_CHECK_FORM": True, "JWT_CSRF_METHODS": ["GET", "POST"]},
        {"JWT_CSRF_IN_COOKIES": False, "JWT_COOKIE_SECURE": False, "JWT_COOKIE_DOMAIN": None},
        {"JWT_ACCESS_CSRF_HEADER_NAME": "X-A", "JWT_REFRESH_CSRF_HEADER_NAME": "X-R"},
        {"JWT_ACCESS_COOKIE_NAME": "a", "JWT_REFRESH_COOKIE_NAME": "r"},
        {"JWT_ACCESS_CSRF_COOKIE_NAME": "ac", "JWT_REFRESH_CSRF_COOKIE_NAME": "rc"},
        {"JWT_REFRESH_COOKIE_PATH": "/refresh", "JWT_REFRESH_CSRF_COOKIE_PATH": "/refresh"},
        {"JWT_TOKEN_LOCATION": ["headers", "cookies"], "JWT_COOKIE_SAMESITE": "Strict"},
    )
):
    USES[f"cookies_{number}"] = (cookies, {"JWT_TOKEN_LOCATION": ["cookies"], **given})


@use(JWT_TOKEN_LOCATION=["cookies"])
def implicit_refreshing(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Have a hook renew the cookie that ends soon."""
    with_cookies(app)

    @app.after_request
    def renew(answer: Response) -> Response:
        try:
            if fje.get_jwt()["exp"] < datetime.now(UTC).timestamp() + 1800:
                fje.set_access_cookies(answer, fje.create_access_token(fje.get_jwt_identity()))
        except (RuntimeError, KeyError):
            pass
        return answer

    client = app.test_client()
    for path in ("/me", "/login", "/me", "/logout", "/me"):
        yield seen(client.get(path))


@use()
def explicit_refreshing(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Make an access token of a refresh token, as often as asked."""
    protect(
        app,
        "/refresh",
        lambda: {"made": fje.create_access_token(fje.get_jwt_identity(), fresh=False)},
        refresh=True,
    )
    protect(app, "/fresh", who, fresh=True)
    held = refresh(app)
    for _ in range(2):
        made = app.test_client().post("/refresh", headers=bearer(held)).get_json()["made"]
        yield claims(app, made)
        yield from asked(app, "/fresh", [made, held])


@use()
def blocklist(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Refuse what a view has put on a list, access and refresh tokens alike."""
    refused: set[str] = set()
    jwt.token_in_blocklist_loader(lambda header, payload: payload["jti"] in refused)

    def logout() -> dict[str, Any]:
        refused.add(fje.get_jwt()["jti"])
        return {"revoked": fje.get_jwt()["type"]}

    protect(app, "/logout", logout, verify_type=False)
    protect(app, "/me", who)
    protect(app, "/maybe", who, optional=True)
    protect(app, "/refresh", who, refresh=True)
    protect(app, "/skip", who, skip_revocation_check=True)
    made = [access(app), refresh(app), access(app)]
    for _ in range(2):
        for path in ("/me", "/maybe", "/refresh", "/skip"):
            yield from asked(app, path, made)
        yield from asked(app, "/logout", made[:2])


@use()
def users(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Load users by what their tokens say."""
    known = {"1": "Ann", "2": "Bob"}
    jwt.user_identity_loader(lambda user: user["id"])
    jwt.user_lookup_loader(lambda header, payload: known.get(payload["sub"]))

    def me() -> dict[str, Any]:
        return {"user": str(fje.current_user), "got": fje.get_current_user()}

    protect(app, "/me", me)
    protect(app, "/maybe", me, optional=True)
    made = [access(app, {"id": it}) for it in ("1", "2", "ann")]
    for path in ("/me", "/maybe"):
        yield from asked(app, path, made)
    jwt.user_lookup_error_loader(lambda header, payload: ({"gone": payload["sub"]}, 404))
    yield from asked(app, "/me", made)


@use()
def user_in_templates(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Have the user in every template."""
    jwt.init_app(app, add_context_processor=True)
    jwt.user_lookup_loader(lambda header, payload: payload["sub"])
    protect(app, "/page", lambda: {"page": render_template_string("{{ current_user }}")})
    yield from asked(app, "/page", [access(app)])


@use()
def claims_and_headers(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Add claims and headers to a token, for all of them or for one."""
    jwt.additional_claims_loader(lambda identity: {"sid": "mine", "role": identity})
    jwt.additional_headers_loader(lambda identity: {"cty": identity})
    more = {"additional_claims": {"role": "admin"}, "additional_headers": {"cty": "x"}}
    for make, options in product((access, refresh), ({}, more)):
        made = make(app, **options)
        yield claims(app, made)
        yield fje.get_unverified_jwt_headers(made)
        with app.app_context():
            yield fje.decode_token(made)["sid"]


@use(JWT_ENCODE_NBF=False, JWT_COOKIE_CSRF_PROTECT=False)
def times(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Choose what a token says of time."""
    yield claims(app, access(app, expires_delta=timedelta(days=365)))
    yield claims(app, refresh(app, expires_delta=timedelta(days=365)))
    yield claims(app, access(app, fresh=True, additional_claims={"nbf": 7}))


@use()
def own_decorator(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Verify by hand, in a decorator and before requests."""

    def admin(view: Callable[[], Any]) -> Callable[[], Any]:
        @wraps(view)
        def guarded() -> Any:
            fje.verify_jwt_in_request()
            return view() if fje.get_jwt().get("admin") else ({"msg": "Admins only!"}, 403)

        return guarded

    route(app, "/admin", admin(who))
    route(app, "/open", lambda: {"found": bool(fje.verify_jwt_in_request(optional=True))})
    made = [access(app, additional_claims={"admin": it}) for it in (True, False)]
    for path in ("/admin", "/open"):
        yield from asked(app, path, [*made, refresh(app), spoilt(made[0])])


@use()
def answers(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Say by every loader what is answered."""
    one = {"expired_token": 1, "needs_fresh_token": 2, "revoked_token": 3}
    two = {"token_verification_failed": 4, "user_lookup_error": 5}
    for name, number in (one | two).items():
        loader = getattr(jwt, f"{name}_loader")
        loader(lambda head, body, it=number: ({"it": it, "sub": body["sub"], **head}, 410 + it))
    jwt.invalid_token_loader(lambda reason: ({"invalid": bool(reason)}, 406))
    jwt.unauthorized_loader(lambda reason: ({"missing": reason}, 407))
    jwt.token_in_blocklist_loader(lambda head, body: "out" in body)
    jwt.token_verification_loader(lambda head, body: "unfit" not in body)
    jwt.user_lookup_loader(lambda head, body: None if "gone" in body else body["sub"])
    protect(app, "/me", who)
    protect(app, "/fresh", who, fresh=True)
    odd = [access(app, additional_claims={it: 1}) for it in ("out", "unfit", "gone", "x")]
    made = [*odd, access(app, expires_delta=timedelta(seconds=-5)), refresh(app), "x.y"]
    for path in ("/me", "/fresh"):
        yield from asked(app, path, made)


@use()
def outside_of_views(app: Flask, jwt: fje.JWTManager) -> Iterator[object]:
    """Read tokens by hand, and ask where there is none."""
    made, old = access(app), access(app, expires_delta=timedelta(seconds=-5))
    tries: list[Callable[[], Any]] = [
        *(fje.get_jwt, fje.get_jwt_header, fje.get_jwt_identity, fje.get_current_user),
        lambda: fje.get_jwt_request_location(),
        *(lambda it=it: fje.decode_token(it)["sub"] for it in (made, old, spoilt(made), "x")),
        lambda: fje.decode_token(old, allow_expired=True)["sub"],
        lambda: fje.decode_token(made, csrf_value=fje.get_csrf_token(made))["sub"],
        lambda: fje.decode_token(made, csrf_value="x"),
        lambda: fje.get_jti(made) == fje.decode_token(made)["jti"],
        lambda: fje.get_unverified_jwt_headers(spoilt(made)),
    ]
    with app.test_request_context():
        for attempt in tries:
            try:
                yield attempt()
            except (RuntimeError, fje.exceptions.JWTExtendedException) as error:
                yield type(error), str(error)
            except pyjwt.InvalidTokenError as error:
                yield isinstance(error, pyjwt.ExpiredSignatureError)


@pytest.mark.parametrize("name", USES)
def test_documented_uses(make: Make, name: str) -> None:
    """What each use sees is the same on a service and on Flask with the stock extension."""
    function, settings = USES[name]
    stock = Flask("shop")
    stock.config.update(TESTING=True, **{**COMMON, **settings})
    ours = make(extensions=["web", "templates", JwtExtension], **{**COMMON, **settings})
    assert list(function(ours, ours.jwt)) == list(function(stock, fje.JWTManager(stock)))
