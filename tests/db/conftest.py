"""Services with a database that exist for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from buttress import Service
from tests.databases import KINDS, fresh_database
from tests.services import Make, services

EXTENSIONS = ["log", "web", "health", "db"]


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
def app(make: Make, url: str) -> Service:
    """Give a service with a database of each kind."""
    return make(extensions=EXTENSIONS, DB_URL=url)
