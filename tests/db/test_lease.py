"""Leases: one holder in the cluster at a time."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from buttress import Service
from tests.db.conftest import EXTENSIONS
from tests.services import Make

#: Forks processes that all want one lease again and again, and prints when each had it.
RACE = """
import os, sys, time
from buttress import create_app

app = create_app("shop", extensions=["db"], config={"MODE": "testing", "DB_URL": sys.argv[1]})
for _ in range(8):
    if not os.fork():
        app.db.start()
        end = time.monotonic() + 1
        while time.monotonic() < end:
            lease = app.db.lease("snow", 60)
            if lease.acquire():
                began = time.monotonic_ns()
                time.sleep(0.002)
                os.write(1, f"{began} {time.monotonic_ns()}\\n".encode())
                lease.release()
        os._exit(0)
sys.exit(sum(os.wait()[1] != 0 for _ in range(8)))
"""


@pytest.fixture
def leasing(app: Service) -> Service:
    """Give a service on each kind of database that has the table of leases."""
    app.db.need_leases()
    app.db.migrations.upgrade()
    return app


def test_one_holder_at_a_time(leasing: Service) -> None:
    """Who holds a lease may take it again; another has it only after the release."""
    mine, other = (leasing.db.lease("snow", 60) for _ in range(2))
    assert [mine.acquire(), mine.acquire(), other.acquire()] == [True, True, False]
    mine.release()
    assert [other.acquire(), mine.acquire(), mine.renew()] == [True, False, False]


def test_names_are_apart(leasing: Service) -> None:
    """Leases of different names do not touch each other, be it only by case."""
    names = ("snow", "Snow", "snow'; --", "снег")
    assert [leasing.db.lease(name, 60).acquire() for name in names] == [True] * 4


def test_an_end_without_release(leasing: Service) -> None:
    """A lease ends with its time, unless it is renewed."""
    lease, other = (leasing.db.lease("snow", 0.3) for _ in range(2))
    assert lease.acquire()
    time.sleep(0.2)
    assert lease.renew()
    time.sleep(0.2)
    assert not other.acquire()
    time.sleep(0.2)
    assert [other.acquire(), lease.renew(), lease.acquire()] == [True, False, False]


def test_renewed_late(leasing: Service) -> None:
    """A lease whose time has ended can be renewed as long as no other has had it."""
    lease, other = (leasing.db.lease("snow", 0.05) for _ in range(2))
    assert lease.acquire()
    time.sleep(0.1)
    assert lease.renew()
    time.sleep(0.1)
    assert other.acquire()
    other.release()
    assert not lease.renew()


def test_release_of_what_another_has(leasing: Service) -> None:
    """A release by someone who does not hold the lease changes nothing."""
    mine, other = (leasing.db.lease("snow", 60) for _ in range(2))
    mine.acquire()
    other.release()
    assert [other.acquire(), mine.renew()] == [False, True]


def test_as_a_context(leasing: Service) -> None:
    """A ``with`` block is told whether the lease is held, and releases its own only."""
    with leasing.db.lease("snow", 60) as held:
        with leasing.db.lease("snow", 60) as second:
            assert (held, second) == (True, False)
        assert not leasing.db.lease("snow", 60).acquire()
    assert leasing.db.lease("snow", 60).acquire()


def test_up_and_down(leasing: Service) -> None:
    """The table goes as it came."""
    leasing.db.need_leases()
    assert [it.name for it in leasing.db.migrations.locations] == ["db"]
    leasing.db.migrations.downgrade("base", "db")
    assert leasing.db.migrations.behind() == ["db"]


def test_eight_processes(leasing: Service, url: str, tmp_path: Path) -> None:
    """Of eight processes that race, never do two hold the lease at once."""
    script = tmp_path / "race.py"
    script.write_text(RACE)
    command = [sys.executable, str(script), url]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    spans = sorted(tuple(map(int, line.split())) for line in result.stdout.splitlines())
    assert len(spans) > 10
    assert [a for a, b in pairwise(spans) if a[1] > b[0]] == []


@pytest.mark.parametrize(("name", "seconds"), [("", 1), ("x" * 201, 1), ("snow", 0)])
def test_what_is_no_lease(make: Make, name: str, seconds: float) -> None:
    """A lease without a name or without time is refused."""
    app = make(extensions=EXTENSIONS, DB_URL="sqlite://")
    with pytest.raises(ValueError, match="lease"):
        app.db.lease(name, seconds)
