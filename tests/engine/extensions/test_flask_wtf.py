from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask, redirect, render_template_string
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect, FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired

PAGE = "<form>{{ form.csrf_token }}{{ form.name }}{{ form.errors|tojson }}</form>"
TOKEN = "<meta name='csrf-token' value=\"{{ csrf_token() }}\">"


class NameForm(FlaskForm):
    """A form with one field."""

    name = StringField("name", validators=[DataRequired()])


def submit() -> Any:
    """Show the form, or go on where it is valid."""
    form = NameForm()
    if form.validate_on_submit():
        return redirect(f"/hello/{form.name.data}")
    return render_template_string(PAGE, form=form)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Make the application of the extension's quick start."""
    app.add_url_rule("/", view_func=submit, methods=["GET", "POST"])
    return app.test_client()


@pytest.fixture
def guarded(client: FlaskClient) -> FlaskClient:
    """Protect every view of the application, one of which gives the token to a script."""
    client.application.add_url_rule("/token", "t", view_func=lambda: render_template_string(TOKEN))
    client.application.add_url_rule("/api", "api", view_func=dict, methods=["GET", "POST"])
    CSRFProtect(client.application)
    return client


def token(client: FlaskClient, path: str = "/") -> str:
    """Read the token of a page."""
    found = re.search(r'value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def test_form_with_token(client: FlaskClient) -> None:
    """A form that comes back with its token is valid."""
    answer = client.post("/", data={"csrf_token": token(client), "name": "anna"})
    assert (answer.status_code, answer.location) == (302, "/hello/anna")


def test_form_without_token(client: FlaskClient) -> None:
    """A form without its token is shown again, with what is wrong with it."""
    answer = client.post("/", data={"name": "anna"})
    assert answer.status_code == 200
    assert '{"csrf_token": ["The CSRF token is missing."]}' in answer.text


def test_token_of_another_session(client: FlaskClient) -> None:
    """The token of another visitor does not count."""
    foreign = token(client.application.test_client())
    token(client)
    answer = client.post("/", data={"csrf_token": foreign, "name": "anna"})
    assert "The CSRF tokens do not match." in answer.text


def test_every_view_is_protected(guarded: FlaskClient) -> None:
    """What changes something is refused without a token, which may be in a header."""
    assert guarded.get("/api").status_code == 200
    refused = guarded.post("/api", json={})
    assert refused.status_code == 400
    assert "The CSRF token is missing." in refused.text
    allowed = guarded.post("/api", json={}, headers={"X-CSRFToken": token(guarded, "/token")})
    assert (allowed.status_code, allowed.json) == (200, {})
