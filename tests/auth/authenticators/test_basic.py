"""Names and passwords in each request."""

from __future__ import annotations

from base64 import b64encode

import pytest
from flask import Request
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from buttress import Service, auth
from buttress.auth.authenticators import Refused, Trace
from buttress.auth.authenticators.basic import Basic
from buttress.auth.passwords import Passwords
from buttress.auth.users import User
from buttress.auth.users.directory import Directory
from buttress.auth.users.memory import MemoryUsers
from tests.services import Make

ODD = ["a:b", " a ", "\ta", "Ω", "☃", "a b"]


@pytest.fixture
def app(make: Make) -> Service:
    """Give a service that takes names and passwords."""
    app = make(
        extensions=["log", "web", "auth"], AUTH_AUTHENTICATORS=["basic"], AUTH_REALM="Resort"
    )
    app.auth.users.create("user0", "a:b")
    app.get("/")(auth.required(lambda: auth.principal.id))
    return app


@pytest.fixture
def client(app: Service) -> FlaskClient:
    """Give a client."""
    return app.test_client()


def header(text: str | bytes) -> dict[str, str]:
    """Write the header."""
    data = text.encode() if isinstance(text, str) else text
    return {"Authorization": f"Basic {b64encode(data).decode()}"}


@pytest.mark.parametrize("number", range(len(ODD)))
def test_odd_passwords(app: Service, client: FlaskClient, number: int) -> None:
    """Whatever is in a password, its user is known; remembered or not."""
    app.auth.users.create("odd", ODD[number])
    answers = [client.get("/", headers=header(f"odd:{ODD[number]}")) for _ in range(2)]
    assert [it.text for it in answers] == ["odd", "odd"]


@pytest.mark.parametrize(
    "given",
    ["user0", "user0:", ":", "", "user0:wrong", "nobody:a:b", b"user0:\xff", "user0:a:b\0"],
)
def test_wrong_credentials(client: FlaskClient, given: str | bytes) -> None:
    """What is wrong, or malformed, is a 401 with a challenge."""
    answer = client.get("/", headers=header(given))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Resort", charset="UTF-8"'


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic !", "Basic ö", "Basic ", "Basic dTpw, Basic dTpw", "BASIC =", "basic\xa0"],
)
def test_what_is_no_base64(client: FlaskClient, value: str) -> None:
    """What is no base64 is a 401."""
    assert client.get("/", headers={"Authorization": value}).status_code == 401


def test_a_disabled_user_who_is_remembered(make: Make) -> None:
    """Who is disabled here is refused at once, also where their password was just right."""
    app = make(extensions=["log", "web", "auth"], AUTH_AUTHENTICATORS=["basic"], AUTH_REMEMBER=60)
    app.auth.users.create("ada", "powder")
    app.get("/")(auth.required(lambda: auth.principal.id))
    client = app.test_client()
    assert client.get("/", headers=header("ada:powder")).status_code == 200
    app.auth.users.update("ada", active=False)
    assert client.get("/", headers=header("ada:powder")).status_code == 401


def test_a_new_password(make: Make) -> None:
    """A password that was changed here is of no use at once, however often it was just used."""
    app = make(extensions=["log", "web", "auth"], AUTH_AUTHENTICATORS=["basic"], AUTH_REMEMBER=60)
    app.auth.users.create("ada", "powder")
    app.get("/")(auth.required(lambda: auth.principal.id))
    client = app.test_client()
    for _ in range(3):
        client.get("/", headers=header("ada:powder"))
    app.auth.users.change_password("ada", "fresh")
    answers = [client.get("/", headers=header(f"ada:{it}")) for it in ("powder", "fresh")]
    assert [it.status_code for it in answers] == [401, 200]


class Door:
    """A door that notes what it is asked; the password is right while ``user`` is there."""

    def __init__(self, user: User | None) -> None:
        self.user = user
        self.asked: list[str] = []

    def enter(self, name: str, password: str, caller: object) -> User | None:
        """Note an attempt."""
        self.asked.append("attempt")
        return self.user

    def look_again(self, name: str, password: str) -> User | None:
        """Note that it is none."""
        self.asked.append("again")
        return self.user


def test_what_was_right_is_no_guess(passwords: Passwords) -> None:
    """What was right before is looked at without being counted, until it is wrong."""
    door = Door(User(id="1", name="ada"))
    directory = Directory(MemoryUsers(passwords), {}, 5)
    basic = Basic(door, directory, "Resort", 5)  # type: ignore[arg-type]  # a door
    request = Request(EnvironBuilder(headers=header("ada:powder")).get_environ())
    for _ in range(3):
        assert basic.authenticate(request, Trace()) is not None
    door.user = None
    for _ in range(2):
        with pytest.raises(Refused):
            basic.authenticate(request, Trace())
    assert door.asked == ["attempt", "again", "again", "again", "attempt"]


def test_too_many_attempts(client: FlaskClient) -> None:
    """Guesses are slowed down with 429 and the seconds to wait."""
    answers = [client.get("/", headers=header(f"user0:{number}")) for number in range(6)]
    assert [it.status_code for it in answers] == [401] * 5 + [429]
    assert int(answers[5].headers["Retry-After"]) >= 1
