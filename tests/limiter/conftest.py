"""A service for each test, with a limiter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from buttress import Service
from buttress.limiter import LimiterExtension
from tests.services import services


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Callable[..., Service]]:
    """Give a function that makes services with a limiter; they are closed after the test."""
    with services(package) as make:

        def limited(name: str = "shop", **config: Any) -> Service:
            extensions = ["log", "web", "health", LimiterExtension]
            return make(name, extensions=extensions, **config)

        yield limited
