"""Decorators of views that take a tenant's tokens."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from flask import Flask, g
from werkzeug.test import TestResponse

from buttress import Service
from buttress.auth0 import Auth0Extension, has_scopes, mozilla_accept_token, requires_auth
from buttress.errors import ExtensionError
from tests.auth0.conftest import TenantServer, settings
from tests.jwt.conftest import bearer
from tests.services import Make

PATHS = ("/required", "/accepted")
#: Requests without a token that can be verified, with the code that each gets.
UNFIT = {
    "": "invalid_header",
    "Bearer": "invalid_header",
    "Bearer ": "invalid_header",
    "Bearer a b": "invalid_header",
    "Bearer a.b.c": "invalid_header",
    "Basic YTpi": "invalid_header",
    "Bearer é": "invalid_header",
}


def ask(app: Service, path: str, token: str) -> TestResponse:
    """Send a token."""
    return app.test_client().get(path, headers=bearer(token))


@pytest.mark.parametrize("path", PATHS)
def test_who_it_is(app: Service, tenant: TenantServer, path: str) -> None:
    """The view is told whose token it is, what it allows, and the token itself."""
    token = tenant.token()
    expected = {"sub": "auth0|ann", "scopes": ["openid", "read:pistes"], "token": token}
    assert [ask(app, path, token).json for _ in range(3)] == [expected] * 3
    assert tenant.asked == ["/.well-known/jwks.json"]


def test_no_cache_keeps_what_it_is_told(make: Make, tenant: TenantServer) -> None:
    """What a view answers to somebody is for them alone."""
    app = make(extensions=["web", "security", Auth0Extension], **settings(tenant))
    app.add_url_rule("/required", view_func=requires_auth(lambda: "x"))
    answers = [ask(app, "/required", it) for it in (tenant.token(), tenant.token())]
    assert [it.headers["Cache-Control"] for it in answers] == ["no-store"] * 2


@pytest.mark.parametrize("path", PATHS)
def test_no_token(app: Service, path: str) -> None:
    """One who sends none is asked for it."""
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.json["code"]) == (401, "authorization_header_missing")
    assert answer.json["description"]
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="shop"'


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("header", UNFIT)
def test_no_good_header(app: Service, path: str, header: str) -> None:
    """A header without a token that can be read is refused."""
    answer = app.test_client().get(path, headers={"Authorization": header})
    assert (answer.status_code, answer.json["code"]) == (401, UNFIT[header])
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="shop", error="invalid_token"'


def test_another_scheme(app: Service, tenant: TenantServer) -> None:
    """A good token counts after ``Bearer`` alone, in any letters."""
    client, token = app.test_client(), tenant.token()
    schemes = {"Bearer": 200, "bEaReR": 200, "Basic": 401, "Token": 401}
    assert schemes == {
        it: client.get("/required", headers={"Authorization": f"{it} {token}"}).status_code
        for it in schemes
    }


def test_the_codes(app: Service, tenant: TenantServer) -> None:
    """Each reason has its code, and none says more than that."""
    now = int(time.time())
    unsigned = tenant.token()[:-4] + "AAAA"
    codes = {
        "token_expired": tenant.token(exp=now - 1),
        "invalid_claims": tenant.token(aud="https://other.example"),
        "invalid_key": tenant.token(7),
        "invalid_header": unsigned,
    }
    answers = {code: ask(app, "/required", token) for code, token in codes.items()}
    assert {code: it.json["code"] for code, it in answers.items()} == {it: it for it in codes}
    assert {it.status_code for it in answers.values()} == {401}
    assert all(it.json["detail"] == it.json["description"] for it in answers.values())


def test_errors_of_mozilla_accept_token(app: Service, tenant: TenantServer) -> None:
    """They have the members that flask-oidc gave them, too."""
    said = ask(app, "/accepted", tenant.token(aud="other")).json
    assert (said["error"], said["code"]) == ("invalid_token", "invalid_claims")
    assert said["error_description"] == said["description"]


def test_errors_that_are_passed_on(app: Service, tenant: TenantServer) -> None:
    """With ``render_errors=False`` whoever decorates the view further gets the error."""
    got: list[Any] = []
    view = mozilla_accept_token(render_errors=False)(lambda: "never")

    @app.get("/raw")
    def raw() -> Any:
        got.append(view())
        return got[0]

    answer = ask(app, "/raw", tenant.token(aud="other"))
    body, status, headers = got[0]
    assert (body["error"], status, set(headers)) == ("invalid_token", 401, {"WWW-Authenticate"})
    assert (answer.status_code, answer.json) == (401, body)


@pytest.mark.parametrize("path", PATHS)
def test_no_tokens_in_queries_and_forms(app: Service, tenant: TenantServer, path: str) -> None:
    """A token is taken from the header alone (RFC 9700, 4.3.2)."""
    answer = app.test_client().get(path, query_string={"access_token": tenant.token()})
    assert answer.json["code"] == "authorization_header_missing"
    sent = app.test_client().get(path, data={"access_token": tenant.token()})
    assert sent.json["code"] == "authorization_header_missing"


@pytest.mark.parametrize("path", PATHS)
def test_a_cold_start_while_the_tenant_is_down(
    app: Service, tenant: TenantServer, path: str
) -> None:
    """While no key is known every token is 503, also a bad one."""
    tenant.jwks = (500, b"{}")
    for token in (tenant.token(), tenant.token(aud="other")):
        answer = ask(app, path, token)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert len(tenant.asked) == 1


def test_an_outage(app: Service, tenant: TenantServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of known keys go on; those of others are 503, since they may be good."""
    monkeypatch.setattr("buttress.oidc.kept.PAUSE", 0.0)
    assert ask(app, "/required", tenant.token()).status_code == 200
    tenant.jwks = (500, b"{}")
    statuses = [ask(app, "/required", it).status_code for it in (tenant.token(1), tenant.token())]
    assert statuses == [503, 200]
    assert ask(app, "/required", tenant.token(1, aud="other")).status_code == 503


def test_rotation(app: Service, tenant: TenantServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of a new key are taken at once, and those of the old one no more."""
    monkeypatch.setattr("buttress.oidc.kept.PAUSE", 0.0)
    old, new = tenant.token(), tenant.token(1)
    assert [ask(app, "/required", it).status_code for it in (old, old, new)] == [200, 200, 401]
    tenant.publish(1)
    assert [ask(app, "/required", it).status_code for it in (new, old)] == [200, 401]


def test_an_async_view(app: Service, tenant: TenantServer) -> None:
    """A view may be asynchronous."""

    @requires_auth
    async def view() -> dict[str, Any]:
        return {"sub": g.userinfo["sub"]}

    app.add_url_rule("/async", view_func=view)
    assert ask(app, "/async", tenant.token()).json == {"sub": "auth0|ann"}
    assert ask(app, "/async", "x").status_code == 401


def test_the_log_has_no_token(
    app: Service, tenant: TenantServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It says why a request is refused, and nothing of its token."""
    token = tenant.token(aud="other")
    with caplog.at_level(logging.INFO):
        ask(app, "/required", token)
    assert "401: GET /required: The token is for another audience" in caplog.text
    assert not any(part in caplog.text for part in token.split("."))


def test_what_a_view_changes_is_its_own(app: Service, tenant: TenantServer) -> None:
    """The next request of a token sees nothing of what a view did with its claims."""

    @app.get("/change")
    @requires_auth
    def change() -> str:
        g.userinfo["sub"] = "root"
        g.userinfo["aud"].append("x")
        return ""

    token = tenant.token()
    assert ask(app, "/change", token).status_code == 200
    assert ask(app, "/required", token).json["sub"] == "auth0|ann"


@pytest.mark.parametrize(
    ("have", "need", "expected"),
    [
        (["a", "b"], ["a"], True),
        (["a"], ["a", "b"], False),
        ("a b", "b", True),
        ("ab", ["a"], False),
        ([], [], True),
        ((it for it in "ab"), {"a"}, True),
    ],
    ids=["some", "one lacks", "texts", "letters", "nothing", "any iterable"],
)
def test_has_scopes(have: Any, need: Any, expected: bool) -> None:
    """All that are needed must be there; a text is words and not letters."""
    assert has_scopes(have, need) is expected


def test_a_service_without_the_extension() -> None:
    """It is told what it lacks."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=requires_auth(lambda: "x"))
    app.testing = True
    with pytest.raises(ExtensionError, match="no extension 'auth0'"):
        app.test_client().get("/")
