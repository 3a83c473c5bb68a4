"""What the tests of the login pages share: a service with them, and a browser that uses them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from secrets import token_urlsafe
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from buttress import Service, auth
from buttress.auth.login import blueprint
from tests.auth.login.fake_provider import FakeProvider
from tests.services import Make

SITE = "https://localhost"
PASSWORD = "powder & sun"
#: What a browser says when somebody follows a link.
NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}

#: Hashes that take no time, which no service may have.
CHEAP = {"ARGON2_MEMORY_COST": 8, "ARGON2_TIME_COST": 1}

LoginService = Callable[..., Service]


@pytest.fixture
def login_service(make: Make, monkeypatch: pytest.MonkeyPatch) -> LoginService:
    """Give a function that makes a service with login pages and a page that needs them."""
    monkeypatch.setattr("buttress.auth.passwords.below_floor", lambda _: [])

    def made(prefix: str | None = None, *more: str, **config: Any) -> Service:
        extensions = ["log", "web", "security", "auth", *more]
        given = {**CHEAP, "AUTH_REMEMBER": 0, "SECRET_KEY": token_urlsafe(32), **config}
        app = make(extensions=extensions, **given)
        if "db" in more:
            app.db.migrations.upgrade()
        if "AUTH_USERS" not in config:
            app.auth.users.create("ada", PASSWORD)

        @app.route("/pistes/<name>", methods=["GET", "POST"])
        @auth.required
        def piste(name: str) -> str:
            return f"{auth.principal.id} on {name}"

        app.register_blueprint(blueprint, url_prefix=prefix)
        return app

    return made


@pytest.fixture
def app(login_service: LoginService) -> Service:
    """Give a service with login pages."""
    return login_service()


@pytest.fixture
def browser(app: Service) -> Browser:
    """Give a browser that nobody has logged in with."""
    return Browser(app.test_client())


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """Give a provider that all requests go to."""
    made = FakeProvider()
    send = lambda _, request, **options: made.send(request, **options)  # noqa: E731  # a method
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    return made


class Browser:
    """A browser, as far as its requests tell."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def open(self, path: str, **options: Any) -> TestResponse:
        """Follow a link."""
        headers = {**NAVIGATION, **options.pop("headers", {})}
        return self.client.open(path, base_url=SITE, headers=headers, **options)

    def post(self, path: str, data: dict[str, str], **headers: str) -> TestResponse:
        """Send a form."""
        return self.open(path, method="POST", data=data, headers=headers)

    def log_in(
        self, name: str = "ada", password: str = PASSWORD, next: str | None = None, **headers: str
    ) -> TestResponse:
        """Open the login, and send its form filled in."""
        shown = self.open("/login", query_string={} if next is None else {"next": next})
        data = {**fields(shown.text), "name": name, "password": password}
        return self.post("/login", data, **headers)

    @property
    def known_as(self) -> str | None:
        """Tell whom the service takes this browser for."""
        found: str | None = self.open("/__permissions__").json["user_id"]
        return found


def fields(page: str) -> dict[str, str]:
    """Give the hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


def alarm(page: str) -> str | None:
    """Give what a page says is wrong."""
    found = re.search(r'role="alert"[^>]*>([^<]*)<', page)
    return None if found is None else unescape(found[1])
