"""Killed consumers lose no message, and with ``once=True`` no effect happens twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import fresh_database

PROGRAM = "tests.queues.kills"
ROOT = Path(__file__).parents[2]


def killed(folder: Path, db: str, broker: str, *options: str) -> dict[str, float]:
    """Run the program and give what it found."""
    done = subprocess.run(
        [sys.executable, "-m", PROGRAM, "--db", db, "--broker", broker, *options],
        cwd=folder,
        env={**__import__("os").environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
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
