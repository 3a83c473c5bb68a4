"""Killed consumers lose no message, and with ``once=True`` no effect happens twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import fresh_database
from tests.private import private_server
from tests.servers import server_url

PROGRAM = "tests.queues.kills"
ROOT = Path(__file__).parents[2]


def killed(folder: Path, db: str, broker: str, *options: str) -> dict[str, float]:
    """Run the program and give what it found."""
    done = subprocess.run(
        [sys.executable, "-m", PROGRAM, "--db", db, "--broker", broker, *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Its log goes to the same place, and may have the last word.
    result = next(line for line in done.stdout.splitlines() if line.startswith('{"sent"'))
    found: dict[str, float] = json.loads(result)
    return found


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give an empty database."""
    with fresh_database(request.param, tmp_path) as url:
        yield url


def test_some_kills(tmp_path: Path, db: str) -> None:
    """A few kills: everything is handled, nothing has effects twice."""
    found = killed(tmp_path, db, "sql:", "--messages=160", "--kills=4")
    assert (found["sent"], found["lost"], found["doubled"]) == (160, 0, 0)


@pytest.mark.proof
def test_two_hundred_kills(tmp_path: Path, db: str) -> None:
    """Two hundred kills: 0 lost, 0 double effects, and consuming again within 5 s."""
    found = killed(tmp_path, db, "sql:", "--messages=20000", "--kills=200")
    print(found)  # noqa: T201  # the figures of the proof
    assert (found["lost"], found["doubled"]) == (0, 0)
    assert found["resumed"] < 5


@pytest.mark.proof
def test_kills_at_sqs(tmp_path: Path) -> None:
    """Two hundred killed consumers of SQS: 0 lost, 0 double effects."""
    endpoint = server_url("moto")
    settings = {
        "SQS_ACCESS_KEY_ID": "AKIA-of-moto",
        "SQS_SECRET_ACCESS_KEY": "s3cr3t-of-moto",
        "SQS_ENDPOINT_URL": endpoint,
        "SQS_CREATE": "true",
    }
    options = [f"--set={key}={value}" for key, value in settings.items()]
    queue = f"--queue=rides-{tmp_path.name}"
    with fresh_database("postgres", tmp_path) as db:
        broker = "sqs://eu-west-1"
        counts = ("--messages=2000", "--kills=200")
        found = killed(tmp_path, db, broker, queue, *counts, *options)
    print(found)  # noqa: T201  # the figures of the proof
    assert (found["lost"], found["doubled"]) == (0, 0)


@pytest.mark.proof
def test_kills_at_rabbitmq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """50,000 confirmed messages, the broker killed 20 times, consumers 200 times: 0 lost."""
    with (
        private_server("rabbitmq", monkeypatch) as broker,
        fresh_database("postgres", tmp_path) as db,
        ThreadPoolExecutor(1) as pool,
    ):
        counts = ("--messages=50000", "--kills=200", "--pause=0.5")
        running = pool.submit(killed, tmp_path, db, broker.url, *counts)
        while not (tmp_path / "sent.txt").exists() and not running.done():
            time.sleep(0.05)
        resumed = []
        while not running.done():
            if len(resumed) < 20:
                broker.kill()
                broker.start()
                resumed.append(until_progress(db))
            time.sleep(4)
        found = running.result()
    print(found, f"resumed within {resumed} s")  # noqa: T201  # the figures of the proof
    assert (found["lost"], found["doubled"]) == (0, 0)
    assert len(resumed) == 20
    assert max(resumed) < 5


def until_progress(db: str) -> float:
    """Measure how long it takes until the next message is handled, in seconds."""
    count = sa.text("SELECT count(*) FROM ride")
    engine = sa.create_engine(db, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        began = time.monotonic()
        before = connection.scalar(count)
        while connection.scalar(count) == before and time.monotonic() - began < 60:
            time.sleep(0.02)
    engine.dispose()
    return round(time.monotonic() - began, 2)
