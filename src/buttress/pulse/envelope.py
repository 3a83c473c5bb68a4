"""The envelope in which Pulse messages travel, and what may be in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NoReturn

#: Most bytes of an exchange, a queue or a routing key (AMQP 0-9-1: a short string).
SHORT = 255


def sealed(exchange: str, routing_key: str, payload: Any, largest: int) -> bytes:
    """Put a payload into its envelope, as JSON in UTF-8 of at most ``largest`` bytes.

    Raises `ValueError` for what is no JSON, and for what is too large.
    """
    meta = {
        "exchange": exchange,
        "routing_key": routing_key,
        "serializer": "json",
        "sent": datetime.now(UTC).isoformat(),
    }
    body = _encoded({"payload": payload, "_meta": meta})
    if len(body) > largest:
        raise ValueError(
            f"The message is {len(body)} bytes long and PULSE_MAX_MESSAGE_SIZE is {largest}: send "
            "where it can be fetched instead. Nothing was sent."
        )
    return body


def opened(body: bytes | str) -> Any:
    """Read the body of a message. Raises `ValueError` for one that is no JSON."""
    try:
        return json.loads(body, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def checked_exchange(name: str) -> str:
    """Give the name of an exchange. Raises `ValueError` for one that RabbitMQ would not take."""
    if not name:
        raise ValueError("The exchange has no name: give one such as 'exchange/resort/snow'.")
    return _short(name, "exchange")


def checked_routing_key(key: str) -> str:
    """Give a routing key. Raises `ValueError` for one that is too long."""
    return _short(key, "routing key")


def checked_queue(name: str) -> str:
    """Give the name of a queue. Raises `ValueError` for one that is too long."""
    return _short(name, "queue")


def _short(text: str, what: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"The {what} must be text, not {text!r}.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError(f"The {what} {text!r} is no text that UTF-8 can write.") from None
    if size > SHORT:
        raise ValueError(f"The {what} is {size} bytes long and may have {SHORT}: {text[:40]!r}…")
    return text


def _encoded(document: Any) -> bytes:
    try:
        text = json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"The payload is no JSON: {error}. Make it of dicts, lists, texts, finite numbers, "
            "booleans and None. Nothing was sent."
        ) from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
