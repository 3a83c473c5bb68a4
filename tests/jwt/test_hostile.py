"""No hostile token is accepted, on any kind of protected route, and none makes an error."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask_jwt_extended import get_jwt_identity, jwt_required
from werkzeug.test import run_wsgi_app

from buttress import Service, auth
from buttress.jwt import JwtExtension
from tests.jwt.conftest import ALGORITHMS, SECRET, pem, private_key
from tests.jwt.hostile import AUDIENCE, ISSUER, Target, hostile
from tests.services import Make

#: The kinds of protected routes: how the view is protected, and how the token gets there.
ROUTES: dict[str, tuple[dict[str, Any], str]] = {
    "required": ({}, "headers"),
    "optional": ({"optional": True}, "headers"),
    "fresh": ({"fresh": True}, "headers"),
    "refresh": ({"refresh": True}, "headers"),
    "cookies": ({"locations": "cookies"}, "cookies"),
    "query": ({"locations": ["query_string"]}, "query"),
    "json": ({"locations": ["json"]}, "json"),
    "anywhere": ({"locations": ["cookies", "json", "query_string", "headers"]}, "headers"),
    "any type": ({"verify_type": False}, "headers"),
    "by auth": ({}, "headers"),
}


def protected(app: Service, name: str) -> None:
    """Add a route that tells whom it takes the caller for."""
    view = jwt_required(**ROUTES[name][0])(lambda: {"id": get_jwt_identity()})
    if name == "by auth":
        view = auth.required(lambda: {"id": auth.principal.id})
    app.add_url_rule("/it", "it", view, methods=["GET", "POST"])


def ask(app: Service, place: str, token: str) -> tuple[int, bytes]:
    """Send a token as it is, whatever characters it has."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/it",
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "HTTP_HOST": "shop.example",
    }
    if place == "headers":
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    elif place == "cookies":
        environ["HTTP_COOKIE"] = f"access_token_cookie={token}"
    elif place == "query":
        environ["QUERY_STRING"] = f"jwt={quote(token)}"
    else:
        body = json.dumps({"access_token": token}).encode()
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        environ |= {"wsgi.input": io.BytesIO(body), "REQUEST_METHOD": "POST"}
    pieces, status, _ = run_wsgi_app(app, environ)
    return int(status.split()[0]), b"".join(pieces)


@cache
def tokens(algorithm: str, kid: str | None, kind: str) -> tuple[tuple[str, str], ...]:
    """Make the hostile tokens for a service, once."""
    return tuple(hostile(Target(algorithm, private_key(algorithm), kid, kind)))


@pytest.fixture
def target(
    request: pytest.FixtureRequest, make: Make, tmp_path: Path
) -> Callable[[str], tuple[Service, Target]]:
    """Give a function that makes a service with a kind of route, and what it takes."""
    algorithm = request.param

    def made(name: str) -> tuple[Service, Target]:
        settings: dict[str, Any] = {"JWT_SECRET_KEY": SECRET}
        if algorithm != "HS256":
            (tmp_path / "key.pem").write_bytes(pem(private_key(algorithm)))
            settings = {"JWT_ALGORITHM": algorithm, "JWT_KEYS": [tmp_path / "key.pem"]}
        settings |= {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}
        extensions = ["web", JwtExtension, *(["auth"] if name == "by auth" else [])]
        app = make(extensions=extensions, PROPAGATE_EXCEPTIONS=False, **settings)
        protected(app, name)
        signing = app.jwt.verifier.keys.signing
        kind = "refresh" if name == "refresh" else "access"
        return app, Target(algorithm, private_key(algorithm), signing.id, kind)

    return made


@pytest.mark.parametrize("name", ROUTES)
@pytest.mark.parametrize("target", ALGORITHMS, indirect=True)
def test_no_hostile_token_is_accepted(
    target: Callable[[str], tuple[Service, Target]], name: str
) -> None:
    """The good token of each service is taken, and of the hostile ones none; nothing fails."""
    app, aim = target(name)
    place = ROUTES[name][1]
    assert ask(app, place, aim.token()) == (200, b'{"id":"ann"}\n')
    refused = {(401, None)} | ({(200, b'{"id":null}\n')} if name == "optional" else set())
    answers = [
        (what, status, body)
        for what, token in tokens(aim.algorithm, aim.kid, aim.kind)
        if not (name == "any type" and what == "types: type 'refresh'")
        for status, body in [ask(app, place, token)]
        if (status, body if status == 200 else None) not in refused
    ]
    assert answers == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_battery_is_large(algorithm: str) -> None:
    """There are more than 300 hostile tokens for each algorithm, no two of which are the same."""
    made = dict(tokens(algorithm, None, "access"))
    assert len(set(made.values())) > 300


@pytest.mark.parametrize("body", [b"[1]", b"1", b'"x"', b"null", b"{", b'{"access_token": 1}'])
def test_a_body_that_is_no_object(make: Make, body: bytes) -> None:
    """Where tokens come in bodies, one that is none is refused and nothing fails."""
    app = make(extensions=["web", JwtExtension], JWT_SECRET_KEY=SECRET, PROPAGATE_EXCEPTIONS=False)
    protected(app, "json")
    answer = app.test_client().post("/it", data=body, content_type="application/json")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "bearer x", "Basic YTpi", "Bearer a b", ","]
)
def test_a_header_that_is_none(make: Make, value: str) -> None:
    """A header without one token after ``Bearer`` is refused."""
    app = make(extensions=["web", JwtExtension], JWT_SECRET_KEY=SECRET, PROPAGATE_EXCEPTIONS=False)
    protected(app, "required")
    answer = app.test_client().get("/it", headers={"Authorization": value})
    assert answer.status_code == 401
