"""A service for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.services import Make, services


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services; they are closed after the test."""
    with services(package) as make:
        yield make
