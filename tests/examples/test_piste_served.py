"""The example under the production server, with two workers on one SQLite file."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import orjson
import pytest

from tools.demo import LOGIN, NAME, OPEN, PISTE, QUESTIONS, log_in, show, until, write_secrets
from tools.running import Running, free_port, running

BROKEN = (
    "SELECT piste.id FROM piste JOIN lift ON lift.id = piste.lift "
    "WHERE piste.open AND NOT lift.open"
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the instance folder."""
    return tmp_path_factory.mktemp("instance")


@pytest.fixture(scope="module")
def service(instance: Path) -> Iterator[Running]:
    """Serve it until all tests of this module have asked it."""
    with served(instance) as it:
        yield it


@pytest.fixture(scope="module")
def token(service: Running) -> str:
    """Ask what anybody may, which makes a user, give that user a role and log in."""
    assert [it.path for it in OPEN if show(service, it) is None] == []
    return log_in(service)


@contextmanager
def served(instance: Path) -> Iterator[Running]:
    """Serve it with two workers, which look for stale pistes twice a second."""
    write_secrets(instance)
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("PISTE_INSTANCE_PATH", str(instance))
        environ.setenv("GNAR_WORKERS", "2")
        environ.setenv("GNAR_DRAIN_GRACE", "0")
        environ.setenv("GNAR_QUEUES_WAIT", "0.2")
        environ.setenv("GNAR_QUEUES_VISIBILITY", "2")
        environ.setenv("GNAR_STALE_CHECK_SECONDS", "0.5")
        with running(PISTE, free_port()) as service:
            yield service


def query(instance: Path, sql: str, *values: object) -> list[Any]:
    """Ask or change the database behind the service's back."""
    with closing(sqlite3.connect(instance / "piste.sqlite", timeout=10)) as database, database:
        return database.execute(sql, values).fetchall()


def piste(service: Running, name: str) -> dict[str, Any]:
    """Give a piste as the API tells it."""
    found: dict[str, Any] = orjson.loads(service.ask(f"/pistes/{name}")[1])
    return found


def persistent(ask: Callable[[], tuple[int, str]]) -> int:
    """Ask until there is an answer, as a client does whose connection breaks; give the status."""
    statuses: list[int] = []

    def answered() -> bool:
        try:
            statuses.append(ask()[0])
        except (OSError, HTTPException):
            return False
        return True

    assert until(answered)
    return statuses[0]


def workers(service: Running) -> list[int]:
    """Give the ids of the worker processes."""
    pid = service.process.pid
    return [int(it) for it in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_answers(service: Running, token: str) -> None:
    """It gives the answers that the demo shows; a snow report is seen in a moment."""
    assert [it.path for it in QUESTIONS if show(service, it, token) is None] == []


def test_unknown(service: Running) -> None:
    """A piste that does not exist is not found."""
    assert service.ask("/pistes/nowhere")[0] == 404


def test_stale_piste_is_closed(service: Running, instance: Path) -> None:
    """A piste without a fresh report is closed by the schedule, and the patrol has one mail."""
    query(instance, "UPDATE piste SET reported_at = 0 WHERE id = 'genepi'")
    assert until(lambda: not piste(service, "genepi")["open"])
    assert until(lambda: bool(mails_of(instance, "Genepi")))
    (mail,) = mails_of(instance, "Genepi")
    assert "To: Patrol <patrol@val-sereine.example>" in mail


def mails_of(instance: Path, name: str) -> list[str]:
    """Give the mails that name a piste."""
    texts = [it.read_text() for it in (instance / "mail").glob("*.eml")]
    return [text for text in texts if name in text]


def test_rule_holds_under_processes(service: Running, instance: Path, token: str) -> None:
    """However lift and piste are switched in both workers, no piste is open on a closed lift."""

    def switch(number: int) -> tuple[int, list[Any]]:
        place = "/pistes/bouquetin" if number % 2 else "/lifts/lac-noir"
        body = '{"open": true}' if number % 3 else '{"open": false}'
        return service.ask(place, "PATCH", body, token)[0], query(instance, BROKEN)

    service.ask("/pistes/lac-noir", "PATCH", '{"open": false}', token)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(switch, range(120)))
    assert {status for status, _ in answers} == {200, 409}
    assert [broken for _, broken in answers if broken] == []


def test_killed_worker_loses_nothing(service: Running, token: str) -> None:
    """Every report that was taken is shown, though a worker is killed meanwhile."""
    names = [it["id"] for it in orjson.loads(service.ask("/pistes")[1])]
    first = workers(service)[0]
    for depth, name in enumerate(names):
        report = orjson.dumps({"piste": name, "snow_cm": 500 + depth}).decode()
        if depth == 6:
            os.kill(first, signal.SIGKILL)
        assert persistent(lambda body=report: service.ask("/reports", "POST", body, token)) == 202
    assert until(
        lambda: (
            [it["snow_cm"] for it in orjson.loads(service.ask("/pistes")[1])]
            == [500 + depth for depth in range(len(names))]
        )
    )


def test_state_survives(tmp_path: Path) -> None:
    """It ends with 0, and the next start finds what this one left."""
    with served(tmp_path) as service:
        token = patrol(service, tmp_path)
        assert service.ask("/pistes/couloir", "PATCH", '{"groomed": true}', token)[0] == 200
        assert service.stop() == 0
    with served(tmp_path) as again:
        assert piste(again, "couloir")["groomed"]
        assert orjson.loads(again.ask("/me", token=token)[1])["roles"] == ["patrol"]


def patrol(service: Running, instance: Path) -> str:
    """Sign up, and give a token with the role that the database is told of."""
    assert show(service, OPEN[-1]) is not None
    query(instance, "UPDATE buttress_user SET roles = ? WHERE name = ?", '["patrol"]', NAME)
    token: str = orjson.loads(service.ask(LOGIN.path, "POST", LOGIN.body)[1])["access_token"]
    return token
