"""Users: signing up, logging in and out, and what each of them may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from buttress import Service
from piste.test.constants import CLOSED_LIFT, CLOSED_PISTE, PROBLEM

PASSWORD = "aiguille du midi"  # noqa: S105  # of users who live as long as a test

CHANGES = [
    ("PATCH", f"/lifts/{CLOSED_LIFT}", {"open": True}, "write:lifts"),
    ("PATCH", f"/pistes/{CLOSED_PISTE}", {"open": True}, "write:pistes"),
    ("POST", "/reports", {"piste": CLOSED_PISTE, "snow_cm": 30}, "write:reports"),
]

#: Makes a user with roles, and gives the name.
Join = Callable[..., str]


@pytest.fixture
def join(service: Service) -> Iterator[Join]:
    """Give a function that makes users; they are removed after the test."""
    joined: list[str] = []

    def join(*roles: str) -> str:
        joined.append(f"ada-{token_hex(4)}")
        service.auth.users.create(joined[-1], PASSWORD, email="ada@piste.example", roles=roles)
        return joined[-1]

    yield join
    for name in joined:
        service.auth.users.delete(name)


def log_in(visitor: FlaskClient, name: str, password: str = PASSWORD) -> TestResponse:
    """Ask for tokens."""
    return visitor.post("/login", json={"name": name, "password": password})


def tokens(visitor: FlaskClient, name: str) -> dict[str, str]:
    """Give the tokens of a user who has just logged in."""
    found: dict[str, str] = log_in(visitor, name).get_json()
    return found


def bearer(token: str) -> dict[str, str]:
    """Give the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def status(answer: TestResponse) -> tuple[int, str | None]:
    """Give the status and the code of a problem."""
    body = answer.get_json()
    return answer.status_code, body.get("code") if isinstance(body, dict) else None


def test_signs_up(service: Service, visitor: FlaskClient) -> None:
    """Who signs up is a user without a role, and can log in."""
    name = f"ada-{token_hex(4)}"
    new = {"name": name.upper(), "password": PASSWORD, "email": "ada@piste.example"}
    answer = visitor.post("/users", json=new)
    profile = {"name": name, "email": "ada@piste.example", "roles": [], "scopes": []}
    assert (answer.status_code, answer.get_json()) == (201, profile)
    access = tokens(visitor, name)["access_token"]
    assert visitor.get("/me", headers=bearer(access)).get_json() == profile
    assert service.auth.users.delete(name)


def test_taken_name(visitor: FlaskClient, join: Join) -> None:
    """A name that is taken is a conflict, however it is written, and its user stays."""
    name = join()
    new = {"name": name.title(), "password": f"{PASSWORD}!", "email": "eve@piste.example"}
    assert status(visitor.post("/users", json=new)) == (409, "conflict")
    assert log_in(visitor, name).status_code == 200


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "too weak"),
        ("11 letters!", "too weak"),
        ("eve-eve-eve-eve-", "too weak"),
        ("abcabcabcabcabc", "too weak"),
        ("Eve lives at 9", "too weak"),
        ("0123456789ab\ud800", "at most 1024 characters"),
        (PASSWORD * 100, "at most 1024 characters"),
    ],
)
def test_weak_password(service: Service, visitor: FlaskClient, password: str, reason: str) -> None:
    """A password that is no good one is refused, with the reason, and makes nobody."""
    new = {"name": "Eve", "password": password, "email": "eve@piste.example"}
    answer = visitor.post("/users", json=new)
    assert status(answer) == (422, "unprocessable_content")
    assert reason in answer.get_json()["detail"]
    assert service.auth.users.get("eve") is None


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"name": "a b"}, {"email": "nowhere"}, {"email": None}, {"roles": ["admin"]}],
)
def test_refuses_other_users(visitor: FlaskClient, change: dict[str, Any]) -> None:
    """What is no name or address is unprocessable, and nobody gives themselves a role."""
    new = {"name": "eve", "password": PASSWORD, "email": "eve@piste.example", **change}
    answer = visitor.post("/users", json=new)
    assert (*status(answer), answer.content_type) == (422, "unprocessable_content", PROBLEM)


def test_too_many_sign_ups(visitor: FlaskClient) -> None:
    """One address may not try names for ever; another one is not held up by it."""
    found = [visitor.post("/users", json={}).status_code for _ in range(11)]
    late = visitor.post("/users", json={})
    other = visitor.post("/users", json={}, environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert (found, status(late)) == ([422] * 10 + [429], (429, "too_many_requests"))
    assert int(late.headers["Retry-After"]) > 0
    assert other.status_code == 422


def test_logs_in(visitor: FlaskClient, join: Join) -> None:
    """A login gives two tokens, which no cache keeps."""
    answer = log_in(visitor, join())
    assert answer.get_json().keys() == {"access_token", "refresh_token", "token_type"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_wrong_password(visitor: FlaskClient, join: Join) -> None:
    """A wrong password and an unknown name are answered alike."""
    wrong, unknown = log_in(visitor, join(), "wrong"), log_in(visitor, f"eve-{token_hex(4)}")
    assert status(wrong) == status(unknown) == (401, "unauthorized")
    assert wrong.headers["WWW-Authenticate"] == 'Bearer realm="piste"'
    assert wrong.get_json()["detail"] == unknown.get_json()["detail"]


def test_too_many_attempts(visitor: FlaskClient, join: Join) -> None:
    """Who guesses has to wait, also with the right password."""
    name = join()
    guesses = [log_in(visitor, name, f"guess {number}").status_code for number in range(5)]
    late = log_in(visitor, name)
    assert (guesses, status(late)) == ([401] * 5, (429, "too_many_requests"))
    assert int(late.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(("method", "place", "body"), [it[:3] for it in CHANGES])
def test_what_changes_needs_a_role(
    visitor: FlaskClient, join: Join, method: str, place: str, body: object
) -> None:
    """Nobody, somebody without a role, and the patrol: only the last may."""
    found = [visitor.open(place, method=method, json=body).status_code]
    for roles in ((), ("patrol",)):
        headers = bearer(tokens(visitor, join(*roles))["access_token"])
        found.append(visitor.open(place, method=method, json=body, headers=headers).status_code)
    assert found[:2] == [401, 403]
    assert found[2] in {200, 202}


@pytest.mark.parametrize(("method", "place", "body", "scope"), CHANGES)
def test_each_has_its_own_scope(
    service: Service, visitor: FlaskClient, method: str, place: str, body: object, scope: str
) -> None:
    """A token with the other scopes alone is of no use."""
    others = " ".join(it[3] for it in CHANGES if it[3] != scope)
    with service.app_context():
        token = service.jwt.issue("robot", {"scope": others})["access_token"]
    answer = visitor.open(place, method=method, json=body, headers=bearer(token))
    assert status(answer) == (403, "forbidden")


@pytest.mark.parametrize("place", ["/lifts", f"/pistes/{CLOSED_PISTE}", "/summary"])
def test_reading_is_public(visitor: FlaskClient, place: str) -> None:
    """Everybody may look."""
    assert visitor.get(place).status_code == 200


def test_shows_what_one_may(visitor: FlaskClient, join: Join) -> None:
    """Users are told their roles, and what these allow; nobody else is told anything."""
    headers = bearer(tokens(visitor, join("patrol"))["access_token"])
    me = visitor.get("/me", headers=headers).get_json()
    assert (me["roles"], me["scopes"]) == (
        ["patrol"],
        ["write:lifts", "write:pistes", "write:reports"],
    )
    nobody = visitor.get("/me")
    assert status(nobody) == (401, "unauthorized")
    assert nobody.headers["WWW-Authenticate"] == 'Bearer realm="piste"'


def test_refreshes(visitor: FlaskClient, join: Join) -> None:
    """A refresh token gives a new pair, once; used again it ends the whole session."""
    pair = tokens(visitor, join())
    answer = visitor.post("/refresh", headers=bearer(pair["refresh_token"]))
    access = bearer(answer.get_json()["access_token"])
    assert (visitor.get("/me", headers=access).status_code, answer.status_code) == (200, 200)
    assert answer.headers["Cache-Control"] == "no-store"
    assert visitor.post("/refresh", headers=bearer(pair["refresh_token"])).status_code == 401
    assert visitor.get("/me", headers=access).status_code == 401


def test_refreshes_by_refresh_tokens_only(visitor: FlaskClient, join: Join) -> None:
    """An access token refreshes nothing, and a refresh token opens nothing."""
    pair = tokens(visitor, join())
    assert visitor.post("/refresh", headers=bearer(pair["access_token"])).status_code == 401
    assert visitor.get("/me", headers=bearer(pair["refresh_token"])).status_code == 401


@pytest.mark.parametrize("change", ["password", "disable", "delete", "another"])
def test_refreshes_the_same_user_only(
    service: Service, visitor: FlaskClient, join: Join, change: str
) -> None:
    """After a new password, and where the user is gone or another one, one logs in anew."""
    users, name = service.auth.users, join()
    pair = tokens(visitor, name)
    match change:
        case "password":
            users.change_password(name, "mer de glace")
        case "disable":
            users.update(name, active=False)
        case _:
            users.delete(name)
    if change == "another":
        users.create(name, "mer de glace")
    answer = visitor.post("/refresh", headers=bearer(pair["refresh_token"]))
    assert status(answer) == (401, "unauthorized")


def test_logs_out(visitor: FlaskClient, join: Join) -> None:
    """After a logout both tokens are refused, and another login of the user stays."""
    name = join()
    pair, other = tokens(visitor, name), tokens(visitor, name)
    access = bearer(pair["access_token"])
    assert visitor.post("/logout", headers=access).status_code == 204
    assert visitor.get("/me", headers=access).status_code == 401
    assert visitor.post("/refresh", headers=bearer(pair["refresh_token"])).status_code == 401
    assert visitor.get("/me", headers=bearer(other["access_token"])).status_code == 200


def test_who_is_gone(service: Service, visitor: FlaskClient, join: Join) -> None:
    """The token of a user who was removed shows nobody."""
    name = join()
    access = tokens(visitor, name)["access_token"]
    service.auth.users.delete(name)
    assert status(visitor.get("/me", headers=bearer(access))) == (401, "unauthorized")
