"""A subscription: which messages a function handles, and the queue that keeps them for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from buttress.errors import ExtensionError
from buttress.pulse.envelope import checked_exchange, checked_queue, checked_routing_key
from buttress.pulse.link import Link
from buttress.pulse.message import Message

#: The header of a dead letter that says why it is one.
REASON = "X-Dead-Reason"

Handler = Callable[..., Any]


class Subscription(Struct, frozen=True, kw_only=True):
    """Hold what a consumer was asked for; see `subscription`."""

    handler: Handler
    exchange: str
    routing_keys: tuple[str, ...]
    queue: str
    dead_queue: str
    own_exchange: str
    prefetch: int
    declare_exchange: bool

    def declare(self, link: Link) -> None:
        """Declare the queue, the dead-letter queue beside it, and the bindings of both."""
        link.declare_exchange(self.own_exchange, "direct")
        link.declare_queue(self.dead_queue, {}, {self.own_exchange: (self.dead_queue,)})
        if self.declare_exchange:
            link.declare_exchange(self.exchange)
        # Consumers bury messages themselves, with the reason. The broker may have to as well:
        # RabbitMQ 4 has a limit of its own for deliveries of quorum queues.
        arguments = {
            "x-dead-letter-exchange": self.own_exchange,
            "x-dead-letter-routing-key": self.dead_queue,
        }
        bindings = {self.own_exchange: (self.queue,), self.exchange: self.routing_keys}
        link.declare_queue(self.queue, arguments, bindings)

    def bury(self, link: Link, message: Message, reason: str) -> None:
        """Copy a message into the dead-letter queue, with the reason."""
        headers = {**message.origin(), REASON: reason}
        link.copy(message.raw, self.own_exchange, self.dead_queue, headers)

    def repeat(self, link: Link, message: Message) -> None:
        """Copy a message to the end of its queue, with how often it was delivered."""
        link.copy(message.raw, self.own_exchange, self.queue, message.origin())


def subscription(
    handler: Handler,
    *,
    user: str,
    exchange: str,
    routing_key: str | Sequence[str],
    queue: str | None,
    prefetch: int,
    declare_exchange: bool,
) -> Subscription:
    """Check what a consumer is asked for, and name its queues.

    Raises `ExtensionError` for a handler that takes no two arguments, and for bad names.
    """
    _check_handler(handler)
    keys = (routing_key,) if isinstance(routing_key, str) else tuple(routing_key)
    name = getattr(handler, "__name__", "") if queue is None else queue
    try:
        if not name or not keys:
            raise ValueError("give queue=… a name, and at least one routing key")
        if not 1 <= prefetch <= 65535:
            raise ValueError(f"prefetch={prefetch!r} must be from 1 to 65535")
        full = name if name.startswith("queue/") else f"queue/{user}/{name}"
        return Subscription(
            handler=handler,
            exchange=checked_exchange(exchange),
            routing_keys=tuple(map(checked_routing_key, keys)),
            queue=checked_queue(full),
            dead_queue=checked_queue(f"{full}/dead"),
            own_exchange=checked_exchange(f"exchange/{user}/queues"),
            prefetch=prefetch,
            declare_exchange=declare_exchange,
        )
    except ValueError as error:
        raise ExtensionError("pulse", f"The consumer {_named(handler)}: {error}.") from error


def _check_handler(handler: Handler) -> None:
    if not callable(handler):
        raise ExtensionError("pulse", f"@app.pulse.consumer takes a function, not {handler!r}.")
    try:
        inspect.signature(handler).bind(None, None)
    except TypeError:
        raise ExtensionError(
            "pulse", f"The consumer {_named(handler)} must take two arguments: (body, message)."
        ) from None


def _named(handler: Handler) -> str:
    return getattr(handler, "__qualname__", repr(handler))
