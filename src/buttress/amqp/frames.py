"""Frames that py-amqp cannot read: AMQP's short strings are bytes, and need not be UTF-8.

Whoever may publish could else end every consumer of a queue with one message, for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack
from typing import Any

from amqp import spec
from amqp.method_framing import frame_handler

#: The type of a frame with the properties of a message.
HEADER = 2
#: Bytes of that frame before the properties.
FIXED = 12


def tolerant(connection: Any, callback: Callable[..., Any]) -> Callable[[Any], Any]:
    """Read frames as py-amqp does, and those with bytes that are no UTF-8 as far as they are.

    Such properties are left out, and such bytes of a routing key become question marks. It is
    py-amqp's ``frame_handler``.
    """

    def deliver(channel: int, method: tuple[int, int], arguments: Any, message: Any) -> None:
        try:
            callback(channel, method, arguments, message)
        except UnicodeDecodeError:
            if method != spec.Basic.Deliver:
                raise
            callback(channel, method, _readable(bytes(arguments)), message)

    handle = frame_handler(connection, deliver)

    def read(frame: Any) -> Any:
        try:
            return handle(frame)
        except UnicodeDecodeError:
            kind, channel, content = frame
            if kind != HEADER:
                raise
            return handle((kind, channel, bytes(content[:FIXED]) + pack(">H", 0)))

    return read


def _readable(arguments: bytes) -> bytes:
    """Mend what says where a message comes from: its exchange and its routing key."""
    # Before them: the method, the tag of the consumer, the number of the delivery, and a flag.
    start = 4 + 1 + arguments[4] + 8 + 1
    middle = start + 1 + arguments[start]
    exchange, key = arguments[start + 1 : middle], arguments[middle + 1 :]
    return arguments[:start] + _short(exchange) + _short(key)


def _short(text: bytes) -> bytes:
    return pack("B", len(text)) + bytes(it if it < 128 else ord("?") for it in text)
