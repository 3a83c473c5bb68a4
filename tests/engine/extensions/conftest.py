"""An application for each test, once a `flask.Flask` and once a `Service`."""

from __future__ import annotations

import pytest
from flask import Flask

from buttress import Service


@pytest.fixture(params=[Flask, Service], ids=["flask", "service"])
def application(request: pytest.FixtureRequest) -> type[Flask]:
    """Give the class of the application; what a test says holds for both."""
    given: type[Flask] = request.param
    return given


@pytest.fixture
def app(application: type[Flask]) -> Flask:
    """Make an application with a key for its sessions."""
    app = application(__name__)
    app.secret_key = "a key for sessions of at least thirty-two bytes"
    return app
