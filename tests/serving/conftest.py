"""Services as processes, ended after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.services import Make, services
from tests.serving.running import Running, write_service


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services; they are closed after the test."""
    with services(package) as make:
        yield make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with the service ``shop`` in it."""
    return write_service(tmp_path)


@pytest.fixture
def launch(folder: Path) -> Iterator[Callable[..., Running]]:
    """Give a function that starts the service; settings and variables are its arguments."""
    started: list[Running] = []

    def begin(*command: str, **settings: Any) -> Running:
        started.append(Running(folder, [*(command or ("run.py",))], settings))
        return started[-1]

    yield begin
    for running in started:
        running.end()


@pytest.fixture
def start(launch: Callable[..., Running]) -> Callable[..., Running]:
    """Give a function that starts the service and waits until it is ready."""
    return lambda **settings: launch(**settings).until_ready()
