"""Flask-JWT-Extended's interface, with what is ours behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    current_user,
    decode_token,
    get_csrf_token,
    get_jti,
    get_jwt,
    get_jwt_header,
    get_jwt_identity,
    set_access_cookies,
    verify_jwt_in_request,
)

from buttress import Service
from buttress.jwt import JwtExtension, TokenExpired, TokenRefused
from tests.jwt.conftest import SECRET, bearer, pem, private_key, protect
from tests.services import Make


def who() -> dict[str, Any]:
    """Say who asks."""
    return {"id": get_jwt_identity()}


@pytest.fixture
def client(app: Service) -> FlaskClient:
    """Make a client of a service with a protected route of each kind."""
    protect(app, "/me", who)
    protect(app, "/maybe", who, optional=True)
    protect(app, "/fresh", who, fresh=True)
    protect(app, "/refresh", who, refresh=True)
    return app.test_client()


def made(app: Flask, make: Callable[..., str] = create_access_token, **options: Any) -> str:
    """Make a token outside of a request."""
    with app.app_context():
        return make("ann", **options)


def test_the_version_is_the_one_that_is_known() -> None:
    """What is private of it is replaced, so another version must be read first: see flaskjwt.py."""
    assert version("Flask-JWT-Extended").startswith("4.7.")


def test_a_token_tells_who_asks(app: Service, client: FlaskClient) -> None:
    """A protected view knows whose token it is; an open one, whether there is one."""
    mine = bearer(made(app))
    assert client.get("/me", headers=mine).json == {"id": "ann"}
    assert client.get("/maybe", headers=mine).json == {"id": "ann"}
    assert client.get("/maybe").json == {"id": None}


@pytest.mark.parametrize(
    ("path", "headers", "detail", "error"),
    [
        ("/me", {}, "Missing Authorization Header", None),
        ("/me", {"Authorization": "Basic YTpi"}, "Missing 'Bearer' type in 'Authorization'", None),
        ("/me", {"Authorization": "Bearer a b"}, "Bad Authorization header", "invalid_token"),
        ("/me", bearer("a.b"), "The token has not three parts", "invalid_token"),
        ("/maybe", bearer("a.b"), "The token has not three parts", "invalid_token"),
    ],
)
def test_a_request_without_a_good_token(
    client: FlaskClient, path: str, headers: dict[str, str], detail: str, error: str | None
) -> None:
    """It is 401, with a problem document and the challenge of RFC 6750."""
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.json is not None
    assert (answer.json["code"], detail in answer.json["detail"]) == ("unauthorized", True)
    challenge = 'Bearer realm="shop"' + (f', error="{error}"' if error else "")
    assert answer.headers["WWW-Authenticate"] == challenge


def test_each_kind_of_token_has_its_routes(app: Service, client: FlaskClient) -> None:
    """Expired, stale and swapped tokens are told what is wrong with them."""
    expired = made(app, expires_delta=timedelta(seconds=-1))
    refresh = made(app, create_refresh_token)
    told = {
        "Token has expired": client.get("/me", headers=bearer(expired)),
        "Fresh token required": client.get("/fresh", headers=bearer(made(app))),
        "Only non-refresh tokens are allowed": client.get("/me", headers=bearer(refresh)),
        "Only refresh tokens are allowed": client.get("/refresh", headers=bearer(made(app))),
    }
    assert {it.status_code for it in told.values()} == {401}
    assert [it.json and it.json["detail"] for it in told.values()] == list(told)
    assert (
        'error="insufficient_user_authentication"'
        in (told["Fresh token required"].headers["WWW-Authenticate"])
    )
    assert client.get("/fresh", headers=bearer(made(app, fresh=True))).status_code == 200


def test_gnars_style(make: Make) -> None:
    """With ``ERRORS_STYLE=gnar`` the sentence is in an answer with status 200."""
    app = make(extensions=["web", JwtExtension], JWT_SECRET_KEY=SECRET, ERRORS_STYLE="gnar")
    protect(app, "/me", who)
    answer = app.test_client().get("/me")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json is not None
    assert answer.json["error"] == "Missing Authorization Header"


def test_without_problem_pages(make: Make) -> None:
    """A service without the extension ``web`` answers 401 all the same."""
    app = make(extensions=[JwtExtension], JWT_SECRET_KEY=SECRET)
    protect(app, "/me", who)
    answer = app.test_client().get("/me")
    assert (answer.status_code, "Bearer" in answer.headers["WWW-Authenticate"]) == (401, True)


def test_the_loaders_of_an_application(app: Service, client: FlaskClient) -> None:
    """What the application says itself is said, also of a token that we refuse."""
    app.jwt.invalid_token_loader(lambda reason: ({"mine": reason}, 422))
    app.jwt.expired_token_loader(lambda header, claims: ({"mine": claims["sub"]}, 419))
    answer = client.get("/me", headers=bearer("a.b"))
    assert (answer.status_code, answer.json) == (422, {"mine": "The token has not three parts"})
    expired = made(app, expires_delta=timedelta(seconds=-1))
    answer = client.get("/me", headers=bearer(expired))
    assert (answer.status_code, answer.json) == (419, {"mine": "ann"})


def test_the_checks_of_an_application(app: Service, client: FlaskClient) -> None:
    """Its deny-list and its check of the claims are asked beside ours."""
    mine = made(app)
    app.jwt.token_in_blocklist_loader(lambda header, claims: claims["sub"] == "bob")
    app.jwt.token_verification_loader(lambda header, claims: claims.get("shop") != "closed")
    assert client.get("/me", headers=bearer(mine)).status_code == 200
    closed = made(app, additional_claims={"shop": "closed"})
    assert client.get("/me", headers=bearer(closed)).status_code == 401
    app.jwt.token_in_blocklist_loader(lambda header, claims: True)
    assert client.get("/me", headers=bearer(mine)).status_code == 401
    app.jwt.token_in_blocklist_loader(lambda header, claims: False)
    app.jwt.revoke(mine)
    assert client.get("/me", headers=bearer(mine)).status_code == 401


def test_users_and_claims_of_an_application(app: Service) -> None:
    """Its users are loaded, and its claims are in each token."""
    app.jwt.user_lookup_loader(lambda header, claims: claims["sub"].upper() or None)
    app.jwt.additional_claims_loader(lambda identity: {"role": "guest"})
    protect(app, "/user", lambda: {"user": str(current_user), "role": get_jwt()["role"]})
    answer = app.test_client().get("/user", headers=bearer(made(app)))
    assert answer.json == {"user": "ANN", "role": "guest"}
    app.jwt.user_lookup_loader(lambda header, claims: None)
    answer = app.test_client().get("/user", headers=bearer(made(app)))
    assert answer.status_code == 401


def test_what_a_loader_gives_stays_as_it_is(app: Service) -> None:
    """It may be the same for all tokens, of which each has a session of its own."""
    claims, headers = {"role": "guest"}, {"cty": "shop"}
    app.jwt.additional_claims_loader(lambda identity: claims)
    app.jwt.additional_headers_loader(lambda identity: headers)
    extra = {"additional_claims": {"role": "admin"}, "additional_headers": {"cty": "x"}}
    sessions = {app.jwt.verify(made(app, **options))["sid"] for options in ({}, {}, extra)}
    assert (len(sessions), claims, headers) == (3, {"role": "guest"}, {"cty": "shop"})


def test_a_token_outside_of_a_route(app: Service) -> None:
    """Tokens are decoded as strictly there; who has expired is told by the error of PyJWT."""
    good, expired = made(app), made(app, expires_delta=timedelta(seconds=-1))
    with app.app_context():
        assert decode_token(good)["sub"] == "ann"
        assert get_jti(good) == decode_token(good)["jti"]
        assert decode_token(expired, allow_expired=True)["sub"] == "ann"
        with pytest.raises(jwt.ExpiredSignatureError):
            decode_token(expired)
        with pytest.raises(jwt.InvalidTokenError):
            decode_token(f"{good}=")


def test_a_request_verified_by_hand(app: Service) -> None:
    """What is asked in the view itself is the same."""
    app.add_url_rule("/hand", "hand", lambda: {"claims": len(verify_jwt_in_request() or ())})
    assert app.test_client().get("/hand", headers=bearer(made(app))).json == {"claims": 2}
    assert app.test_client().get("/hand").status_code == 401


def test_the_header_is_that_of_the_token(app: Service) -> None:
    """A view sees the members that an application has added."""
    protect(app, "/header", get_jwt_header)
    mine = made(app, additional_headers={"shop": "7"})
    answer = app.test_client().get("/header", headers=bearer(mine))
    assert answer.json == {"alg": "HS256", "typ": "JWT", "shop": "7"}


def test_a_token_must_end(app: Service) -> None:
    """A token that lasts for ever is not made."""
    with pytest.raises(ValueError, match="A token must end"):
        made(app, expires_delta=False)


def test_keys_are_settings(app: Service) -> None:
    """Functions that choose keys are refused, with the reason."""
    for loader in (app.jwt.decode_key_loader, app.jwt.encode_key_loader):
        with pytest.raises(TypeError, match="keys are settings"):
            loader(lambda *_: SECRET)


def test_a_token_in_a_cookie(make: Make) -> None:
    """To write, its second half must come in a header, whatever letters that has."""
    app = make(
        extensions=["web", JwtExtension], JWT_SECRET_KEY=SECRET, JWT_TOKEN_LOCATION=["cookies"]
    )
    protect(app, "/me", who)
    client, mine = app.test_client(), made(app)
    client.set_cookie("access_token_cookie", mine)
    with app.app_context():
        proof = get_csrf_token(mine)
    assert client.get("/me").status_code == 200
    assert client.post("/me").status_code == 401
    for value, status in ((proof, 200), ("x", 401), ("\xe9", 401)):
        answer = client.post("/me", environ_overrides={"HTTP_X_CSRF_TOKEN": value})
        assert answer.status_code == status


def test_cookies_are_careful(make: Make) -> None:
    """Outside of production too they are for this site alone."""
    app = make(
        extensions=["web", JwtExtension], JWT_SECRET_KEY=SECRET, JWT_TOKEN_LOCATION="cookies"
    )
    response = app.response_class()
    with app.test_request_context():
        set_access_cookies(response, create_access_token("ann"))
    cookies = response.headers.getlist("Set-Cookie")
    assert ["SameSite=Lax" in it for it in cookies] == [True, True]
    assert "HttpOnly" in cookies[0]


def test_another_application_in_the_process() -> None:
    """A plain Flask application with its own manager is left as it is."""
    app = Flask("plain")
    app.config["JWT_SECRET_KEY"] = SECRET
    JWTManager(app)
    protect(app, "/me", who)
    protect(app, "/header", get_jwt_header)
    mine = bearer(made(app))
    assert app.test_client().get("/me", headers=mine).json == {"id": "ann"}
    assert app.test_client().get("/header", headers=mine).json == {"alg": "HS256", "typ": "JWT"}
    assert app.test_client().get("/me", headers=bearer("a.b")).json == {
        "msg": "Not enough segments"
    }


def test_two_services_share_nothing(make: Make, app: Service) -> None:
    """Neither keys, nor what was verified, nor what was revoked."""
    other = make("other", extensions=["web", JwtExtension], JWT_SECRET_KEY=f"other{SECRET}")
    twin = make("twin", extensions=["web", JwtExtension], JWT_SECRET_KEY=SECRET)
    mine = made(app)
    app.jwt.verify(mine)
    with pytest.raises(TokenRefused):
        other.jwt.verify(mine)
    app.jwt.revoke(mine)
    assert twin.jwt.verify(mine)["sub"] == "ann"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_public_keys(make: Make, tmp_path: Any, algorithm: str) -> None:
    """Tokens name their key, and after a rotation those of the old key are good."""
    (tmp_path / "new.pem").write_bytes(pem(private_key(algorithm)))
    (tmp_path / "old.pem").write_bytes(pem(private_key(algorithm, 1)))

    def service(name: str, *files: str) -> Service:
        keys = [tmp_path / file for file in files]
        settings = {"JWT_ALGORITHM": algorithm, "JWT_KEYS": keys}
        return make(name, extensions=["web", JwtExtension], **settings)

    before, after = service("before", "old.pem"), service("after", "new.pem", "old.pem")
    old, new = made(before), made(after)
    assert after.jwt.verify(old)["sub"] == after.jwt.verify(new)["sub"] == "ann"
    with after.app_context():
        renewed = after.jwt.signed({**after.jwt.verify(old), "jti": "renewed"})
    assert after.jwt.verify(renewed)["jti"] == "renewed"
    assert jwt.get_unverified_header(renewed) == jwt.get_unverified_header(new)
    kids = [jwt.get_unverified_header(token)["kid"] for token in (old, new)]
    assert len(set(kids)) == 2
    with pytest.raises(TokenRefused, match="key that is not known"):
        before.jwt.verify(new)


def test_the_errors_of_verification(app: Service) -> None:
    """One class has the reason and the code of RFC 6750."""
    with pytest.raises(TokenRefused) as caught:
        app.jwt.verify("a.b")
    assert (caught.value.reason, caught.value.error) == (
        "The token has not three parts",
        "invalid_token",
    )
    with pytest.raises(TokenExpired):
        app.jwt.verify(made(app, expires_delta=timedelta(seconds=-1)))
    with pytest.raises(TokenRefused, match="another kind"):
        app.jwt.verify(made(app, create_refresh_token))
    assert app.jwt.verify(made(app, create_refresh_token), kind="refresh")["sub"] == "ann"
