from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_cors import CORS, cross_origin

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"


def lifts() -> dict[str, int]:
    """Answer with a dictionary."""
    return {"open": 3}


@cross_origin(origins=[STRANGER], methods=["PUT"])
def slopes() -> str:
    """Answer with a text, to another origin than the rest."""
    return "slopes"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Make an application that a friend may read, below /api, with credentials."""
    CORS(app, resources={"/api/*": {"origins": [FRIEND]}}, supports_credentials=True)
    app.add_url_rule("/api/lifts", view_func=lifts, methods=["GET", "PUT"])
    app.add_url_rule("/lifts", "outside", view_func=lifts)
    app.add_url_rule("/slopes", view_func=slopes, methods=["GET", "PUT"])
    return app.test_client()


def cors(client: FlaskClient, path: str, origin: str, **options: str) -> dict[str, str]:
    """Ask, and keep the headers that are about origins."""
    answer = client.open(path, headers={"Origin": origin}, **options)
    return {k: v for k, v in answer.headers if k == "Vary" or k.startswith("Access-Control")}


def test_friend_may_read(client: FlaskClient) -> None:
    """The configured origin is allowed, on every method, and on a page that does not exist."""
    allowed = {
        "Access-Control-Allow-Origin": FRIEND,
        "Access-Control-Allow-Credentials": "true",
    }
    assert cors(client, "/api/lifts", FRIEND) == allowed
    assert cors(client, "/api/lifts", FRIEND, method="PUT") == allowed
    assert cors(client, "/api/nothing", FRIEND) == allowed


@pytest.mark.parametrize(("path", "origin"), [("/api/lifts", STRANGER), ("/lifts", FRIEND)])
def test_nobody_else_may(client: FlaskClient, path: str, origin: str) -> None:
    """Another origin, and a path outside, get no permission."""
    assert cors(client, path, origin) == {}


def test_preflight(client: FlaskClient) -> None:
    """A preflight is answered, Flask's automatic answer to OPTIONS with permissions added."""
    headers = {"Origin": FRIEND, "Access-Control-Request-Method": "PUT"}
    answer = client.options("/api/lifts", headers=headers)
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PUT"}
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]


def test_view_of_its_own(client: FlaskClient) -> None:
    """A decorated view answers itself, OPTIONS too."""
    assert cors(client, "/slopes", STRANGER) == {"Access-Control-Allow-Origin": STRANGER}
    headers = {"Origin": STRANGER, "Access-Control-Request-Method": "PUT"}
    answer = client.options("/slopes", headers=headers)
    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["Access-Control-Allow-Methods"] == "PUT"
