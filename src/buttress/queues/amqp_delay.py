"""Delays on RabbitMQ, which has none: queues whose messages move on when their time is over."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any

#: The delays that there are, in milliseconds; others are rounded up to the next. The fewer, the
#: fewer queues.
STEPS: tuple[int, ...] = (
    *range(100, 2_000, 100),
    *range(2_000, 20_000, 1_000),
    *range(20_000, 60_000, 5_000),
    *range(60_000, 300_000, 15_000),
    *range(300_000, 900_001, 60_000),
)
#: Milliseconds for which a delay queue stays beyond twice its delay when nobody declares it.
SPARE = 600_000


def step(seconds: float) -> int:
    """Round a delay up to a step, in milliseconds; the longest one is the limit."""
    place = bisect_left(STEPS, math.ceil(seconds * 1000))
    return STEPS[min(place, len(STEPS) - 1)]


def queue_of(queue: str, delay: int) -> str:
    """Name the queue in which messages for another wait so many milliseconds."""
    return f"{queue}.delay.{delay}"


def arguments(queue: str, delay: int) -> dict[str, Any]:
    """Give the arguments of that queue.

    It is a classic one, whatever the virtual host's default: that sends a message on before it
    notes on disk that it has gone, while a quorum queue does it the other way round, and would
    lose what moves as the broker is killed. An expiry drops what is still in the queue, hence it
    is far longer than the delay, and is put off by each declaration.
    """
    return {
        "x-queue-type": "classic",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-message-ttl": delay,
        "x-expires": 2 * delay + SPARE,
    }
