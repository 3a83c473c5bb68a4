"""A connection to RabbitMQ with its one channel, by kombu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

import amqp
import kombu as _kombu
from amqp import exceptions

from buttress.amqp.address import Address
from buttress.amqp.frames import tolerant
from buttress.amqp.parcel import PERSISTENT, copy_of, headers_of

#: It has types in part only.
kombu: Any = _kombu

#: What the broker answers for good: another attempt would be answered alike.
REFUSED = exceptions.ChannelError
#: What is not there, perhaps not yet.
MISSING = exceptions.NotFound
#: The broker did not take a message.
NACKED = exceptions.MessageNacked
#: The connection is gone, or of no more use.
LOST = (OSError, exceptions.ConnectionError)
#: Anything that a connection may end with.
FAILURES = (OSError, exceptions.AMQPError, exceptions.MessageNacked)

#: Seconds that the broker has for a farewell.
FAREWELL = 0.5


def connection_to(address: Address, timeout: float, *, name: str, heartbeat: int = 0) -> Any:
    """Make a `kombu.Connection`, which connects when it is used; ``timeout`` is in seconds."""
    return kombu.Connection(
        hostname=address.bracketed,
        port=address.port,
        **address.login(),
        connect_timeout=timeout,
        heartbeat=heartbeat,
        transport="pyamqp",
        transport_options={
            "client_properties": {"connection_name": name},
            "frame_handler": tolerant,
        },
    )


class Link:
    """A connection and its channel; for one thread at a time."""

    def __init__(self, connection: Any, timeout: float) -> None:
        self._connection = connection.transport.establish_connection()
        try:
            # What is waited for without a limit of its own, as the answer to a declaration.
            self.limit(timeout)
            self.channel = self._connection.channel()
            self.channel.auto_decode = False
        except BaseException:
            self.abandon()
            raise
        #: Exchanges that were declared on it.
        self.declared: set[str] = set()

    def limit(self, seconds: float) -> None:
        """Let no answer of the broker take longer."""
        self._connection.sock.settimeout(max(seconds, 0.001))

    def declare_exchange(self, name: str, kind: Literal["topic", "direct"] = "topic") -> None:
        """Declare a durable exchange, once."""
        if name not in self.declared:
            kombu.Exchange(name, type=kind, durable=True).declare(channel=self.channel)
            self.declared.add(name)

    def declare_queue(
        self,
        name: str,
        arguments: Mapping[str, Any],
        bindings: Mapping[str, tuple[str, ...]],
    ) -> None:
        """Declare a durable queue, and bind it; ``bindings`` are routing keys by exchange."""
        queue = kombu.Queue(name, durable=True, queue_arguments=dict(arguments))
        bound = queue.bind(self.channel)
        bound.queue_declare()
        for exchange, keys in bindings.items():
            for key in keys:
                bound.bind_to(exchange, routing_key=key)

    def publish(
        self, body: bytes, exchange: str, routing_key: str, timeout: float, **properties: Any
    ) -> None:
        """Send a persistent message and wait until the broker has confirmed it."""
        message = amqp.Message(body, **{**properties, "delivery_mode": PERSISTENT})
        self.channel.basic_publish_confirm(
            message, exchange=exchange, routing_key=routing_key, timeout=max(timeout, 0.001)
        )

    def copy(self, raw: Any, exchange: str, queue: str, headers: Mapping[str, Any]) -> None:
        """Copy a message to the end of a queue, with these headers, and wait for the confirm.

        Where the queue is gone, that is an error.
        """
        copy = copy_of(raw, {**headers_of(raw), **headers})
        self.channel.basic_publish_confirm(
            copy, exchange=exchange, routing_key=queue, mandatory=True
        )

    def consume(self, queue: str, prefetch: int, receive: Callable[[Any], None]) -> None:
        """Have messages handed to ``receive`` while `read` reads; each wants a settlement."""
        self.channel.basic_qos(0, prefetch, False)
        self.channel.basic_consume(queue, callback=receive)

    def acknowledge(self, tag: int) -> None:
        """Tell the broker that a message is done with."""
        self.channel.basic_ack(tag)

    def read(self, seconds: float) -> None:
        """Read what the broker sends next, if it comes in time, and keep the connection alive."""
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=seconds)
        self._connection.heartbeat_tick(rate=2)

    def beat(self) -> None:
        """Tell the broker that this side lives."""
        self._connection.send_heartbeat()

    def close(self) -> None:
        """Take leave of the broker, which gives what was not settled to others."""
        try:
            self.limit(FAREWELL)
            self._connection.close()
        except Exception:  # noqa: BLE001  # of a connection that is lost anyway, py-amqp raises all sorts
            self.abandon()

    def abandon(self) -> None:
        """Drop the connection without a word."""
        self._connection.collect()
