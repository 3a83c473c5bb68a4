"""The extension: its settings, its start, and what happens while the database is away."""

from __future__ import annotations

from base64 import b64encode

import pytest
from flask import Request

from buttress import ConfigError, Service, Unavailable, auth
from buttress.auth.passwords import Passwords
from tests.services import Make

EXTENSIONS = ["log", "web", "auth"]
BASIC = {"Authorization": f"Basic {b64encode(b'ada:powder').decode()}"}


@pytest.fixture
def without(make: Make) -> Service:
    """Give a service whose database has never been there."""
    url = "postgresql+psycopg://ada:powder@127.0.0.1:1/resort?connect_timeout=1"
    return make(
        extensions=["log", "web", "db", "auth"],
        DB_URL=url,
        AUTH_AUTHENTICATORS=["token", "session", "basic"],
    )


def test_the_same_authenticator_twice(make: Make) -> None:
    """An authenticator that is named twice is a mistake."""
    with pytest.raises(ConfigError, match="has 'basic' twice"):
        make(extensions=EXTENSIONS, AUTH_AUTHENTICATORS=["basic", "token", "basic"])


def test_no_authenticators(make: Make) -> None:
    """Where nobody is recognised what is closed is closed."""
    app = make(extensions=EXTENSIONS, AUTH_AUTHENTICATORS=[])
    app.get("/")(auth.required(lambda: "open"))
    assert app.test_client().get("/", headers=BASIC).status_code == 401


def test_the_name_of_a_view(make: Make) -> None:
    """A service may have a view of the name ``permissions``."""
    app = make(extensions=EXTENSIONS)

    @app.get("/rights")
    def permissions() -> str:
        return "own"

    assert app.test_client().get("/rights").text == "own"


def test_two_services(make: Make, passwords: Passwords) -> None:
    """Two services in a process have their own users, tokens and attempts."""
    first, second = make("first", extensions=EXTENSIONS), make("second", extensions=EXTENSIONS)
    for app in (first, second):
        app.auth.passwords = passwords
        app.get("/")(auth.required(lambda: auth.principal.id))
    ada = first.auth.users.create("ada", "powder")
    secret, _ = first.auth.issue_token(ada, label="", days=1)
    headers = {"Authorization": f"Bearer {secret}"}
    answers = [app.test_client().get("/", headers=headers) for app in (first, second)]
    assert [it.status_code for it in answers] == [200, 401]


def test_no_secret_in_production(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Without a secret of the service known devices do not last, which is told."""
    make(extensions=["auth"], MODE="production").start()
    assert "Without SECRET_KEY" in caplog.text


def test_a_database_that_is_away(without: Service) -> None:
    """While the database is away whoever has credentials gets 503, and nobody gets 500."""
    without.get("/")(auth.required(lambda: "open"))
    client = without.test_client()
    client.set_cookie("__Host-login", f"bt_{'a' * 16}_{'b' * 43}", secure=True)
    token = {"Authorization": f"Bearer bt_{'a' * 16}_{'b' * 43}"}
    for headers in (BASIC, token, {}):
        answer = client.get("/", headers=headers, base_url="https://localhost")
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_a_database_that_is_away_from_commands(without: Service) -> None:
    """Outside of requests an outage has the same name."""
    with pytest.raises(Unavailable):
        without.auth.issuer.tokens.get("a")
    with pytest.raises(Unavailable):
        without.auth.issuer.tokens.forget(0)


@pytest.mark.parametrize("name", ["log_in", "log_out"])
def test_outside_of_requests(make: Make, name: str) -> None:
    """Sessions begin and end in requests."""
    app = make(extensions=EXTENSIONS)
    with app.app_context(), pytest.raises(RuntimeError):
        getattr(app.auth, name)(*([None] if name == "log_in" else []))


def test_forgotten_within_a_request(make: Make) -> None:
    """Who makes a request may be found out anew."""
    app = make(extensions=EXTENSIONS)
    with app.test_request_context("/") as context:
        request: Request = context.request
        assert not app.auth.principal
        app.auth.access.forget(request)
        assert not app.auth.principal
