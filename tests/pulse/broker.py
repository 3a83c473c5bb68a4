"""The broker of the tests, seen from beside the service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from secrets import token_hex
from typing import Any

import amqp
import kombu

#: Seconds that something may take to happen.
PATIENCE = 10.0


class Broker:
    """Look at RabbitMQ with a connection of its own; every name is this test's alone."""

    #: Raised where a queue is not there.
    missing = amqp.exceptions.NotFound

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = f"test-{token_hex(6)}"
        self.exchange = f"exchange/buttress/{self.name}"
        self._connection = kombu.Connection(url, transport="pyamqp")
        self._queues: list[str] = []

    @property
    def channel(self) -> Any:
        """Give a channel, a new one where the last has failed."""
        found = self._connection.default_channel
        found.auto_decode = False
        return found

    def queue(self, name: str = "") -> str:
        """Give the full name of a queue of this test, which is removed afterwards."""
        full = f"queue/buttress/{self.name}{name}"
        self._queues += [full, f"{full}/dead"]
        return full

    def listen(self, routing_key: str = "#") -> str:
        """Make a queue that keeps what is published."""
        self.channel.exchange_declare(self.exchange, "topic", durable=True, auto_delete=False)
        queue: str = self.channel.queue_declare(exclusive=True).queue
        self.channel.queue_bind(queue, self.exchange, routing_key)
        return queue

    def send(self, body: bytes, routing_key: str = "snow", **properties: Any) -> None:
        """Publish as a stranger does."""
        message = amqp.Message(body, **properties)
        self.channel.basic_publish(message, self.exchange, routing_key)

    def get(self, queue: str) -> Any:
        """Take the next message of a queue, waiting for it."""
        return until(lambda: self.channel.basic_get(queue, no_ack=True))

    def count(self, queue: str) -> int:
        """Count what waits in a queue."""
        found: int = self.channel.queue_declare(queue, passive=True).message_count
        return found

    def body(self, queue: str) -> Any:
        """Take the next message of a queue as JSON."""
        return json.loads(self.get(queue).body)

    def close(self) -> None:
        """Remove what this test has made."""
        for queue in self._queues:
            self.channel.queue_delete(queue)
        self.channel.exchange_delete(self.exchange)
        self._connection.release()


def until(look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Look until there is something, and give it."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError("it does not happen")
        time.sleep(0.01)
    return found
