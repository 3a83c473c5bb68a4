"""Restarts, crowds and kills: what must hold under load, for as long as it takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cli.process import serving
from tests.databases import fresh_database
from tests.packages import write_package
from tests.private import PrivateServer, private_server

MAIN = """
    from buttress import create_app

    app = create_app("shop", extensions=["log", "web", "health", "db"], config={config})
    """
APIS = """
    from flask import Blueprint, current_app
    from sqlalchemy import text

    blueprint = Blueprint("rows", __name__)


    @blueprint.get("/one/<int:number>")
    def one(number):
        return str(current_app.db.one("SELECT :n + 0", {"n": number}))


    @blueprint.get("/session/<int:number>")
    def session(number):
        return str(current_app.db.session.scalar(text("SELECT :n + 0"), {"n": number}))


    @blueprint.get("/slow/<int:number>")
    def slow(number):
        current_app.db.session.execute(text("SELECT pg_sleep(0.2)"))
        return str(current_app.db.one("SELECT :n + 0", {"n": number}))
    """


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateServer]:
    """Give a PostgreSQL of this test's own."""
    with private_server("postgres", monkeypatch) as server:
        yield server


def project(folder: Path, **config: object) -> Path:
    """Write the service."""
    text = MAIN.replace("{config}", repr({"LOG_LEVEL": "ERROR", **config}))
    return write_package(folder, {"shop/main.py": text, "shop/apis.py": APIS})


class Load:
    """Threads that ask and check each answer, until they are told to stop."""

    def __init__(self, port: int, threads: int) -> None:
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        self.last_good = 0.0
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stop.is_set():
            number += 1000
            kind = ("one", "session")[number % 2]
            status, body = asked(connection, f"/{kind}/{number}")
            self.statuses[status] += 1
            if status == 200:
                self.last_good = time.monotonic()
                if body != str(number):
                    self.wrong.append(f"{number}: {body}")
            elif status != 503:
                self.wrong.append(f"{number}: {status} {body}")
            time.sleep(0.002)
        connection.close()


def asked(connection: HTTPConnection, path: str) -> tuple[int, str]:
    """Ask, and give status and body."""
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def restarts(folder: Path, postgres: PrivateServer, times: int) -> None:
    """Restart the database under load, and look at every answer."""
    root = project(folder, DB_URL=postgres.url)
    with serving(root, "--workers", "2") as (_, address):
        port = int(address.rpartition(":")[2])
        slowest = 0.0
        with Load(port, 6) as load:
            for number in range(times):
                time.sleep(0.3)
                postgres.kill() if number % 2 else postgres.stop()
                time.sleep(0.3)
                postgres.start()
                ready = time.monotonic()
                while load.last_good < ready and time.monotonic() - ready < 10:
                    time.sleep(0.005)
                slowest = max(slowest, load.last_good - ready)
            time.sleep(0.5)
    print(dict(load.statuses), f"slowest first success: {slowest:.2f} s")  # noqa: T201  # figures
    assert load.wrong == []
    assert load.statuses[503] > 0
    assert slowest < 1.0


def crowd(folder: Path, url: str, size: int) -> None:
    """Ask many slow questions at once of a pool of ten."""
    root = project(folder, DB_URL=url, DB_POOL_SIZE=10, DB_POOL_TIMEOUT=0.8)
    with serving(root, "--workers", "1", "--threads", str(size)) as (_, address):
        port = int(address.rpartition(":")[2])

        def ask(number: int) -> tuple[int, float]:
            began = time.monotonic()
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            status, body = asked(connection, f"/slow/{number}")
            connection.close()
            assert status == 503 or body == str(number)
            return status, time.monotonic() - began

        with ThreadPoolExecutor(size) as pool:
            answers = list(pool.map(ask, range(size)))
        after, _ = ask(1)
    statuses = Counter(status for status, _ in answers)
    print(dict(statuses), f"longest: {max(it for _, it in answers):.1f} s")  # noqa: T201  # figures
    assert statuses.keys() == {200, 503}
    assert statuses[200] >= 10
    assert max(seconds for _, seconds in answers) < 15
    assert after == 200


def upgrades(folder: Path, kind: str, rounds: int, kills: int) -> dict[str, int]:
    """Let eight processes migrate at once, so many times."""
    with fresh_database(kind, folder) as url:
        done = subprocess.run(
            [sys.executable, "-m", "tests.db.upgrades", url, str(rounds), str(kills)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_restarts(tmp_path: Path, postgres: PrivateServer) -> None:
    """Under load every answer is right or 503, and right at once when the database is back."""
    restarts(tmp_path, postgres, 2)


@pytest.mark.proof
def test_twenty_restarts(tmp_path: Path, postgres: PrivateServer) -> None:
    """Twenty restarts, half of them by SIGKILL."""
    restarts(tmp_path, postgres, 20)


def test_a_crowd(tmp_path: Path) -> None:
    """Who finds no connection in time gets 503; nobody waits for ever, and all is well after."""
    with fresh_database("postgres", tmp_path) as url:
        crowd(tmp_path, url, 80)


@pytest.mark.proof
def test_a_crowd_of_two_hundred(tmp_path: Path) -> None:
    """Two hundred at once, with sessions and statements in the same request."""
    with fresh_database("postgres", tmp_path) as url:
        crowd(tmp_path, url, 200)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_upgrades_and_a_kill(tmp_path: Path, kind: str) -> None:
    """Of eight that migrate at once one does; one that is killed leaves nothing half done."""
    assert upgrades(tmp_path, kind, 2, 1) == {"wrong": 0, "half": 0, "killed": 1}


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_fifty_upgrades_and_ten_kills(tmp_path: Path, kind: str) -> None:
    """Fifty times eight processes, ten of them killed."""
    assert upgrades(tmp_path, kind, 50, 10) == {"wrong": 0, "half": 0, "killed": 10}
