from __future__ import annotations

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Make an application with a limit for all views, one for one view, and a view without."""
    limiter = Limiter(
        get_remote_address,
        app=app,
        default_limits=["2 per day"],
        storage_uri="memory://",
        headers_enabled=True,
    )

    @app.get("/lifts")
    def lifts() -> dict[str, int]:
        return {"open": 3}

    @app.get("/gone")
    def gone() -> None:
        abort(410)

    @app.get("/slow")
    @limiter.limit("1 per day")
    def slow() -> str:
        return "slow"

    @app.get("/health")
    @limiter.exempt
    def health() -> str:
        return "well"

    return app.test_client()


def test_third_call_is_refused(client: FlaskClient) -> None:
    """Of two calls a day the third is refused, and the answers say what is left."""
    answers = [client.get("/lifts") for _ in range(3)]
    assert [it.status_code for it in answers] == [200, 200, 429]
    assert [it.headers["X-RateLimit-Limit"] for it in answers] == ["2", "2", "2"]
    assert [it.headers["X-RateLimit-Remaining"] for it in answers] == ["1", "0", "0"]
    assert 86_000 < int(answers[2].headers["Retry-After"]) <= 86_401
    assert "2 per 1 day" in answers[2].text


def test_clients_are_told_apart(client: FlaskClient) -> None:
    """A limit counts the calls of one address."""
    found = [
        client.get("/slow", environ_base={"REMOTE_ADDR": address}).status_code
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    assert found == [200, 429, 200]


def test_errors_count(client: FlaskClient) -> None:
    """An answer that is an error has the headers and is counted."""
    answers = [client.get("/gone") for _ in range(3)]
    assert [it.status_code for it in answers] == [410, 410, 429]
    assert answers[1].headers["X-RateLimit-Remaining"] == "0"


def test_exempt_view(client: FlaskClient) -> None:
    """A view without limit, and a path without view, are not counted."""
    assert [client.get("/health").status_code for _ in range(3)] == [200, 200, 200]
    assert [client.get("/nothing").status_code for _ in range(3)] == [404, 404, 404]


def test_handler_of_the_application(client: FlaskClient) -> None:
    """The refusal goes through the application's error handler."""
    client.application.register_error_handler(429, lambda error: ({"code": error.name}, 429))
    client.get("/slow")
    refused = client.get("/slow")
    assert (refused.status_code, refused.json) == (429, {"code": "Too Many Requests"})
    assert refused.headers["X-RateLimit-Limit"] == "1"
