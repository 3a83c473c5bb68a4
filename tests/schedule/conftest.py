"""Services with a schedule that exist for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.databases import fresh_database
from tests.services import Make, services

EXTENSIONS = ["log", "web", "health", "db", "schedule"]


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services."""
    with services(package) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty database, of two kinds."""
    with fresh_database(request.param, tmp_path) as made:
        yield made
