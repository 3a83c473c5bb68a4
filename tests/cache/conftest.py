"""A cache for each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from buttress.cache import Cache
from tests.services import Make, services


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services; they are closed after the test."""
    with services(package) as make:
        yield make


@pytest.fixture
def cache_of(make: Make) -> Callable[..., Cache]:
    """Give a function that makes caches by their settings, with a prefix of this test's own."""
    prefix = f"test-{secrets.token_hex(8)}:"

    def make_cache(**settings: Any) -> Cache:
        return make(extensions=["cache"], **{"CACHE_PREFIX": prefix, **settings}).cache

    return make_cache


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a server that failed alone for a tenth of a second."""
    monkeypatch.setattr("buttress.breaker.FIRST", 0.1)
    monkeypatch.setattr("buttress.breaker.LONGEST", 0.1)
