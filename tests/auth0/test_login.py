"""The login at a tenant."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from buttress import Service
from buttress.auth0 import Auth0Extension, auth0_check, auth0_login, build_state, check_state
from tests.auth0.conftest import AUDIENCE, CLIENT, REDIRECT, TenantServer, settings
from tests.jwt.conftest import as_json
from tests.services import Make

COOKIE = "__Host-auth0"


@pytest.fixture
def client(app: Service) -> FlaskClient:
    """Give a browser of a service with a login."""
    app.add_url_rule("/login", view_func=auth0_login)
    app.add_url_rule("/check", view_func=auth0_check, methods=["POST"])
    return app.test_client()


def begun(client: FlaskClient) -> dict[str, str]:
    """Begin a login; give what the tenant is told."""
    answer = client.get("/login", base_url="https://shop.example")
    return {name: it[0] for name, it in parse_qs(urlsplit(answer.text).query).items()}


def finish(client: FlaskClient, body: object) -> TestResponse:
    """Come back from the tenant."""
    return client.post("/check", base_url="https://shop.example", json=body)


def logs_in(tenant: TenantServer, asked: dict[str, str], **claims: object) -> str:
    """Have the tenant log somebody in; give the ID token that it will hand out."""
    person = {"email": "ann@shop.example", "email_verified": True, "nonce": asked["nonce"]}
    token = tenant.token(**{"aud": CLIENT, "scope": ..., **person, **claims})
    answer = {"access_token": "opaque", "id_token": token, "expires_in": 60}

    def tokens(form: dict[str, str]) -> tuple[int, bytes]:
        digest = sha256(form["code_verifier"].encode()).digest()
        fits = urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        if not fits or form["code"] != "good":
            return 403, b'{"error": "invalid_grant"}'
        return 200, as_json(answer)

    tenant.tokens = tokens
    return token


def test_where_somebody_logs_in(app: Service, client: FlaskClient, tenant: TenantServer) -> None:
    """The tenant is told who asks, for what, and nothing secret."""
    address = client.get("/login", base_url="https://shop.example").text
    assert address.startswith(f"{tenant.issuer}authorize?")
    asked = begun(client)
    assert {name: asked[name] for name in asked if name in ("client_id", "redirect_uri")} == {
        "client_id": CLIENT,
        "redirect_uri": REDIRECT,
    }
    assert (asked["response_type"], asked["audience"]) == ("code", AUDIENCE)
    assert (asked["scope"], asked["code_challenge_method"]) == ("openid profile email", "S256")
    assert "nobody knows" not in address


def test_a_login(client: FlaskClient, tenant: TenantServer) -> None:
    """A code is exchanged for tokens, by the one who began the login."""
    asked = begun(client)
    token = logs_in(tenant, asked)
    answer = finish(client, {"state": asked["state"], "code": "good"})
    assert answer.status_code == 200
    assert (answer.json["access_token"], answer.json["id_token"]) == ("opaque", token)
    assert 55 <= answer.json["expires"] - time.time() <= 60
    form = tenant.forms[0]
    assert (form["client_id"], form["client_secret"]) == (CLIENT, "nobody knows")
    assert (form["grant_type"], form["redirect_uri"]) == ("authorization_code", REDIRECT)


def test_the_cookie(client: FlaskClient) -> None:
    """It is this host's alone, and no script reads it."""
    answer = client.get("/login", base_url="https://shop.example")
    said = answer.headers["Set-Cookie"]
    assert said.startswith(f"{COOKIE}=")
    assert all(word in said for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Max-Age=600" in said
    assert "Domain" not in said


def test_the_cookie_in_development(make: Make, tenant: TenantServer) -> None:
    """It is kept by browsers that reach the service by plain HTTP."""
    app = make(extensions=["web", Auth0Extension], **settings(tenant) | {"MODE": "development"})
    app.add_url_rule("/login", view_func=auth0_login)
    said = app.test_client().get("/login").headers["Set-Cookie"]
    assert said.startswith("auth0=")
    assert "Secure" not in said
    app.add_url_rule("/check", view_func=auth0_check, methods=["POST"])
    client = app.test_client()
    state = parse_qs(urlsplit(client.get("/login").text).query)["state"][0]
    client.post("/check", json={"state": state, "code": "bad"})
    assert client.get_cookie("auth0") is None
    assert "Secure" in app.test_client().get("/login", base_url="https://x").headers["Set-Cookie"]


def test_no_cache_keeps_a_login(client: FlaskClient, tenant: TenantServer) -> None:
    """Neither the address of a login nor its tokens are kept (RFC 6749, 5.1)."""
    begin = client.get("/login", base_url="https://shop.example")
    asked = begun(client)
    logs_in(tenant, asked)
    end = finish(client, {"state": asked["state"], "code": "good"})
    assert [it.headers["Cache-Control"] for it in (begin, end)] == ["no-store"] * 2


def test_a_state_is_used_once(client: FlaskClient, tenant: TenantServer) -> None:
    """Who comes back a second time must log in again."""
    asked = begun(client)
    logs_in(tenant, asked)
    body = {"state": asked["state"], "code": "good"}
    assert [finish(client, body).status_code for _ in range(2)] == [200, 400]


def test_two_windows(client: FlaskClient, tenant: TenantServer) -> None:
    """A browser may begin two logins, and finish the first."""
    first, _ = begun(client), begun(client)
    logs_in(tenant, first)
    assert finish(client, {"state": first["state"], "code": "good"}).status_code == 200


def test_two_logins_of_one_answer(app: Service) -> None:
    """A view may begin two logins, and the browser finish either."""
    app.add_url_rule("/begin", "begin", lambda: f"{build_state()} {build_state()}")
    app.add_url_rule("/end/<state>", "end", lambda state: {"good": check_state(state)})
    client, address = app.test_client(), "https://shop.example"
    for state in client.get("/begin", base_url=address).text.split():
        assert client.get(f"/end/{state}", base_url=address).json == {"good": True}


def test_another_browser(app: Service, client: FlaskClient, tenant: TenantServer) -> None:
    """A login that somebody else began is not finished here."""
    asked = begun(client)
    logs_in(tenant, asked)
    for other in (app.test_client(), app.test_client()):
        answer = finish(other, {"state": asked["state"], "code": "good"})
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_state")
        begun(other)
        assert finish(other, {"state": asked["state"], "code": "good"}).status_code == 400
    assert tenant.forms == []


@pytest.mark.parametrize(
    "body",
    [None, [], "x", {}, {"state": 1, "code": "x"}, {"state": "", "code": ""}, {"code": "good"}],
    ids=["null", "a list", "text", "nothing", "a number", "empty", "no state"],
)
def test_what_is_no_login(client: FlaskClient, body: object) -> None:
    """What comes back without state and code is a bad request."""
    assert finish(client, body).status_code == 400


def test_no_json(client: FlaskClient) -> None:
    """A body that is no JSON is a bad request."""
    assert client.post("/check", data=b"{").status_code == 400


def test_a_wrong_code(client: FlaskClient, tenant: TenantServer) -> None:
    """A code that the tenant does not know is told to whoever brought it."""
    asked = begun(client)
    logs_in(tenant, asked)
    answer = finish(client, {"state": asked["state"], "code": "bad"})
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_code")


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (401, b'{"error": "invalid_client"}'),
        (200, b"{}"),
        (200, b'{"access_token": "a", "id_token": "b", "expires_in": "soon"}'),
        (200, b'{"access_token": "a", "id_token": "b", "expires_in": null}'),
        (200, b"[]"),
    ],
    ids=["down", "a wrong secret", "nothing", "no number", "null", "a list"],
)
def test_a_tenant_that_does_not_help(
    client: FlaskClient, tenant: TenantServer, answer: tuple[int, bytes]
) -> None:
    """Whatever the tenant answers beside tokens is 503, and nothing of it is shown."""
    asked = begun(client)
    tenant.tokens = lambda _: answer
    got = finish(client, {"state": asked["state"], "code": "good"})
    assert got.status_code == 503
    assert "invalid_client" not in got.text


FORGED: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": ...},
    "another client": {"aud": "other"},
    "another client too": {"aud": [CLIENT, "other"], "azp": ...},
    "for another party": {"azp": "other"},
    "another issuer": {"iss": "https://evil.example/"},
    "an access token": {"aud": [AUDIENCE], "scope": "x"},
    "no time": {"iat": ...},
    "a token of a logout": {"typ": "logout+jwt"},
    "expired": {"exp": 1_000_000_000},
    "an address that is not verified": {"email_verified": False},
}


@pytest.mark.parametrize("name", FORGED)
def test_id_tokens_that_are_refused(client: FlaskClient, tenant: TenantServer, name: str) -> None:
    """An ID token must be of this login, for this client, and of an address that is verified."""
    asked = begun(client)
    logs_in(tenant, asked, **FORGED[name])
    got = finish(client, {"state": asked["state"], "code": "good"})
    assert (got.status_code, got.json["code"]) == (403, "forbidden")


def test_an_id_token_by_another_key(client: FlaskClient, tenant: TenantServer) -> None:
    """It must be signed by a key of the tenant."""
    asked = begun(client)
    logs_in(tenant, asked)
    tenant.publish(1)
    got = finish(client, {"state": asked["state"], "code": "good"})
    assert got.status_code == 403


def test_states_of_ones_own(app: Service) -> None:
    """A view may begin and check a login by itself."""
    app.add_url_rule("/begin", "begin", build_state)
    app.add_url_rule("/end/<state>", "end", lambda state: {"good": check_state(state)})
    client, address = app.test_client(), "https://shop.example"
    state = client.get("/begin", base_url=address).text
    assert client.get(f"/end/{state}", base_url=address).json == {"good": True}
    assert client.get(f"/end/{state}x", base_url=address).json == {"good": False}
    assert app.test_client().get(f"/end/{state}", base_url=address).json == {"good": False}
