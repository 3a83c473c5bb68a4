"""Services with queues that exist for one test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from buttress import Service
from tests.databases import KINDS, fresh_database
from tests.services import Make, services

EXTENSIONS = ["log", "web", "health", "db", "queues"]
#: Settings with which a failure shows soon.
QUICK = {"QUEUES_RETRY_DELAY": 0.05, "QUEUES_WAIT": 1.0, "QUEUES_VISIBILITY": 2.0}


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services."""
    with services(package) as made:
        yield made


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty database, of each kind."""
    with fresh_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def sqlite(make: Make) -> Service:
    """Give a service with queues in a SQLite database; it is not started."""
    return make(extensions=EXTENSIONS, **QUICK)


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until something holds, and tell whether it does."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()
