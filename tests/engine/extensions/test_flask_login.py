from __future__ import annotations

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)
from werkzeug.test import TestResponse

# Flask-Login 0.6.3 computes the end of its cookie with utcnow(), deprecated since Python 3.12.
pytestmark = pytest.mark.filterwarnings(
    "ignore:datetime.datetime.utcnow:DeprecationWarning:flask_login"
)


class User(UserMixin):
    """A user who is known by name alone."""

    def __init__(self, name: str) -> None:
        self.id = name


def login() -> str:
    """Log in by the name in the form."""
    user = User(request.form["name"])
    return str(login_user(user, remember="remember" in request.form))


def logout() -> str:
    """Log out."""
    return str(logout_user())


@login_required
def secret() -> str:
    """Greet a user who has logged in."""
    return f"hello {current_user.id}"


def welcome() -> str:
    """Greet anybody."""
    return "hello you" if current_user.is_anonymous else secret()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Make the application of the extension's quick start."""
    manager = LoginManager(app)
    manager.user_loader(lambda name: User(name) if name != "nobody" else None)
    app.add_url_rule("/login", view_func=login, methods=["POST"])
    app.add_url_rule("/logout", view_func=logout)
    app.add_url_rule("/secret", view_func=secret)
    app.add_url_rule("/", view_func=welcome)
    return app.test_client()


def seen(response: TestResponse) -> tuple[int, str, str | None]:
    """Give status, body and ``Vary`` of an answer."""
    return response.status_code, response.text, response.headers.get("Vary")


def test_stranger_is_refused(client: FlaskClient) -> None:
    """A view for users answers 401 to a stranger, and an open view does not."""
    assert client.get("/secret").status_code == 401
    assert seen(client.get("/")) == (200, "hello you", "Cookie")


def test_user_comes_and_goes(client: FlaskClient) -> None:
    """A user is known from login to logout, in that client only."""
    assert seen(client.post("/login", data={"name": "anna"})) == (200, "True", "Cookie")
    assert seen(client.get("/secret")) == (200, "hello anna", "Cookie")
    assert seen(client.get("/")) == (200, "hello anna", "Cookie")
    assert client.application.test_client().get("/secret").status_code == 401
    assert seen(client.get("/logout")) == (200, "True", "Cookie")
    assert client.get("/secret").status_code == 401


def test_session_of_unknown_user(client: FlaskClient) -> None:
    """A session whose user does not exist any more is a stranger's."""
    client.post("/login", data={"name": "nobody"})
    assert client.get("/secret").status_code == 401


def test_user_is_remembered(client: FlaskClient) -> None:
    """The cookie that remembers a user outlives the session, and ends with logout."""
    client.post("/login", data={"name": "anna", "remember": "yes"})
    client.delete_cookie("session")
    assert seen(client.get("/secret")) == (200, "hello anna", "Cookie")
    assert client.get_cookie("session") is not None
    client.get("/logout")
    assert client.get_cookie("remember_token") is None
    assert client.get("/secret").status_code == 401


def test_user_is_not_remembered_unasked(client: FlaskClient) -> None:
    """A user who did not ask to be remembered is forgotten with the session."""
    client.post("/login", data={"name": "anna"})
    client.delete_cookie("session")
    assert client.get("/secret").status_code == 401
