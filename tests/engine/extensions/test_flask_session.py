from __future__ import annotations

import pytest
from cachelib import SimpleCache
from flask import Flask, session
from flask.testing import FlaskClient
from flask_session import Session


@pytest.fixture
def store() -> SimpleCache:
    """Make the place where sessions are kept."""
    return SimpleCache()


@pytest.fixture
def client(app: Flask, store: SimpleCache) -> FlaskClient:
    """Make the application of the extension's quick start."""
    app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=store)
    Session(app)

    @app.get("/")
    def show() -> dict[str, str | None]:
        return {"name": session.get("name")}

    @app.put("/<name>")
    def put(name: str) -> str:
        session["name"] = name
        return "kept"

    @app.delete("/")
    def forget() -> str:
        session.clear()
        return "forgotten"

    app.add_url_rule("/plain", "plain", view_func=lambda: "plain")
    return app.test_client()


def kept(store: SimpleCache) -> list[str]:
    """List the keys in the store."""
    return list(store._cache)


def test_session_stays_on_the_server(client: FlaskClient, store: SimpleCache) -> None:
    """The cookie holds nothing but the key of what the server keeps."""
    answer = client.put("/anna")
    assert (answer.text, answer.headers["Vary"]) == ("kept", "Cookie")
    assert [f"session:{client.get_cookie('session').value}"] == kept(store)
    assert client.get("/").json == {"name": "anna"}
    assert client.application.test_client().get("/").json == {"name": None}


def test_session_ends(client: FlaskClient, store: SimpleCache) -> None:
    """A session that was cleared is gone on both sides."""
    client.put("/anna")
    client.delete("/")
    assert (client.get_cookie("session"), kept(store)) == (None, [])
    assert client.get("/").json == {"name": None}


def test_cookie_is_not_enough(client: FlaskClient, store: SimpleCache) -> None:
    """A key whose session the server has lost opens a new, empty session."""
    client.put("/anna")
    store.clear()
    assert client.get("/").json == {"name": None}


def test_request_without_session(client: FlaskClient, store: SimpleCache) -> None:
    """A view that does not touch the session keeps nothing and sets no cookie."""
    answer = client.get("/plain")
    assert ("Set-Cookie" in answer.headers, kept(store)) == (False, [])
