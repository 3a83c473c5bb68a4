"""Messages with bytes that are no UTF-8, as RabbitMQ delivers them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import amqp
import pytest

from buttress.amqp.address import parsed
from buttress.amqp.frames import tolerant
from buttress.config import Secret
from tests.servers import server_url

SNOW = "amq.topic"
#: It is written where a text belongs.
NO_TEXT = b"\xff\xfesnow"


@pytest.fixture
def channel() -> Iterator[Any]:
    """Give a channel that reads what is no text."""
    options = parsed(Secret(server_url("rabbitmq"))).address(tls=False, ca_file=None).options()
    with amqp.Connection(**options, connect_timeout=5, frame_handler=tolerant) as connection:
        yield connection.channel()


def listening(channel: Any, found: list[Any]) -> None:
    """Have all that is published under ``tests.frames`` added to a list."""
    queue = channel.queue_declare(exclusive=True).queue
    channel.queue_bind(queue, SNOW, routing_key="tests.frames.#")
    channel.basic_consume(queue, no_ack=True, callback=found.append)


def drain(channel: Any, found: list[Any], number: int) -> None:
    """Read until so many messages are there."""
    while len(found) < number:
        channel.connection.drain_events(timeout=5)


@pytest.mark.parametrize("body", [b"", b"deep"])
def test_properties_that_are_no_text(channel: Any, body: bytes) -> None:
    """They are left out; the message comes, and those after it as ever."""
    found: list[Any] = []
    listening(channel, found)
    bad = amqp.Message(body, message_id="N" * len(NO_TEXT), content_type="text/plain")
    written = bad._serialize_properties()
    bad._serialize_properties = lambda: written.replace(b"N" * len(NO_TEXT), NO_TEXT)
    for message in (bad, amqp.Message(b"next", message_id="m-2")):
        channel.basic_publish(message, SNOW, "tests.frames.a")
    drain(channel, found, 2)
    assert [bytes(it.body or b"") for it in found] == [body, b"next"]
    assert [it.properties for it in found] == [{}, {"message_id": "m-2"}]


@pytest.mark.parametrize("body", [b"", b"deep"])
def test_a_routing_key_that_is_no_text(channel: Any, body: bytes) -> None:
    """Its bytes that are no ASCII are question marks; all else of the delivery is as it is."""
    found: list[Any] = []
    listening(channel, found)
    channel.basic_publish(amqp.Message(body), SNOW, b"tests.frames." + NO_TEXT)
    drain(channel, found, 1)
    info = found[0].delivery_info
    assert (info["exchange"], info["routing_key"]) == (SNOW, "tests.frames.??snow")
    assert (info["delivery_tag"], bytes(found[0].body or b"")) == (1, body)
