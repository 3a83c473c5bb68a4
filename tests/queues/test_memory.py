"""The broker in memory."""

from __future__ import annotations

import pytest

from buttress.queues import Broker, MemoryBroker
from buttress.testing.contracts.queue_groups import *  # noqa: F403  # the contract
from buttress.testing.contracts.queues import *  # noqa: F403  # the contract


@pytest.fixture
def broker() -> Broker:
    """Give a broker."""
    return MemoryBroker()


@pytest.fixture
def queue(broker: Broker) -> str:
    """Give a queue."""
    broker.declare("snow")
    return "snow"
