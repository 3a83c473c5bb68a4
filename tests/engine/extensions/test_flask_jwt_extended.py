from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask, Response, jsonify, request
from flask.testing import FlaskClient
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    current_user,
    get_jwt_identity,
    jwt_required,
    set_access_cookies,
)


def login() -> Response:
    """Give a token, in the body and as a cookie."""
    token = create_access_token(request.json["name"])
    response = jsonify(token=token)
    set_access_cookies(response, token)
    return response


@jwt_required()
def protected() -> dict[str, str]:
    """Say who asks."""
    return {"identity": get_jwt_identity(), "user": str(current_user)}


@jwt_required(optional=True)
def optional() -> dict[str, str | None]:
    """Say who asks, if anybody."""
    return {"identity": get_jwt_identity()}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Make the application of the extension's quick start, with cookies allowed too."""
    app.config["JWT_TOKEN_LOCATION"] = ["headers", "cookies"]
    jwt = JWTManager(app)
    jwt.user_lookup_loader(lambda header, claims: claims["sub"].upper())
    app.add_url_rule("/login", view_func=login, methods=["POST"])
    app.add_url_rule("/protected", view_func=protected, methods=["GET", "POST"])
    app.add_url_rule("/optional", view_func=optional)
    return app.test_client()


def bearer(client: FlaskClient, seconds: int = 60) -> dict[str, str]:
    """Give the header with a token that lasts some seconds."""
    with client.application.app_context():
        token = create_access_token("anna", expires_delta=timedelta(seconds=seconds))
    return {"Authorization": f"Bearer {token}"}


def test_token_tells_who_asks(client: FlaskClient) -> None:
    """With a token a view knows the identity and the user."""
    answer = client.get("/protected", headers=bearer(client))
    assert (answer.status_code, answer.json) == (200, {"identity": "anna", "user": "ANNA"})
    assert client.get("/optional", headers=bearer(client)).json == {"identity": "anna"}


def test_no_token(client: FlaskClient) -> None:
    """Without a token a view is refused, unless it does without."""
    answer = client.get("/protected")
    assert answer.status_code == 401
    assert answer.json["msg"].startswith("Missing JWT in headers or cookies (")
    assert client.get("/optional").json == {"identity": None}


def test_expired_token(client: FlaskClient) -> None:
    """A token that has expired is refused, even where none is needed."""
    old = bearer(client, seconds=-1)
    for path in ("/protected", "/optional"):
        answer = client.get(path, headers=old)
        assert (answer.status_code, answer.json) == (401, {"msg": "Token has expired"})


def test_forged_token(client: FlaskClient) -> None:
    """A token with another signature is refused as invalid."""
    head, body, _ = bearer(client)["Authorization"].split(".")
    answer = client.get("/protected", headers={"Authorization": f"{head}.{body}.c2lnbmVk"})
    assert (answer.status_code, answer.json) == (422, {"msg": "Signature verification failed"})


def test_cookie_wants_proof(client: FlaskClient) -> None:
    """The cookie is enough to read; to write, its second half goes into a header."""
    client.post("/login", json={"name": "anna"})
    assert client.get("/protected").json == {"identity": "anna", "user": "ANNA"}
    assert client.post("/protected").status_code == 401
    proof = {"X-CSRF-TOKEN": client.get_cookie("csrf_access_token").value}
    assert client.post("/protected", headers=proof).status_code == 200
