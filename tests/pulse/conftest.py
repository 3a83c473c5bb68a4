"""Services that publish and consume, and the broker that they do it by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from buttress import Service
from tests.pulse.broker import Broker
from tests.servers import server_url
from tests.services import Make, services

EXTENSIONS = ["log", "web", "health", "pulse"]


@pytest.fixture
def make(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services; they are closed after the test."""
    with services(package) as make:
        yield make


@pytest.fixture
def broker() -> Iterator[Broker]:
    """Give the broker, with names of this test's own."""
    broker = Broker(server_url("rabbitmq"))
    yield broker
    broker.close()


class MakePulse(Protocol):
    """A function that makes a service with ``pulse``, by its settings."""

    def __call__(self, name: str = "shop", **config: Any) -> Service: ...


@pytest.fixture
def serve(broker: Broker, make: Make) -> MakePulse:
    """Give a function that makes services which speak to the broker."""

    def serve(name: str = "shop", **config: Any) -> Service:
        return make(name, extensions=EXTENSIONS, **{"PULSE_URL": broker.url, **config})

    return serve


@pytest.fixture
def app(serve: MakePulse) -> Service:
    """Give a service that has booted."""
    return serve()
