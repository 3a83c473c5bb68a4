"""Waiting for what happens by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from buttress import Service

SECONDS = 20.0


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds. Raises `TimeoutError` where that takes too long."""
    end = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"It did not come true within {SECONDS:g} seconds.")
        time.sleep(0.01)


def is_settled(service: Service, queue: str) -> bool:
    """Tell whether every message of a queue is handled."""
    depth = service.queues.broker.depth(queue)
    return (depth.ready, depth.delayed, depth.in_flight) == (0, 0, 0)
