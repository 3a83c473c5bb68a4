"""The brokers of the tests' servers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import amqp

from buttress.config import Secret
from buttress.queues import QueuesSettings
from buttress.queues.amqp import AmqpBroker
from buttress.queues.amqp_address import address_of
from buttress.queues.sqs import SqsBroker
from tests.servers import server_url


@contextmanager
def sqs_broker(**settings: Any) -> Iterator[SqsBroker]:
    """Give a broker at moto's SQS."""
    given = {
        "url": Secret("sqs://eu-west-1"),
        "sqs_endpoint_url": server_url("moto"),
        "sqs_access_key_id": Secret("key"),
        "sqs_secret_access_key": Secret("secret"),
        "sqs_create": True,
    }
    broker = SqsBroker(QueuesSettings(**{**given, **settings}))
    try:
        yield broker
    finally:
        broker.close()


@contextmanager
def sqs_queue(broker: SqsBroker, ending: str = "") -> Iterator[str]:
    """Give an empty queue, and take it away with its dead letters."""
    name = f"snow-{uuid.uuid4().hex[:8]}{ending}"
    broker.declare(name)
    yield name
    dead = f"{name.removesuffix('.fifo')}-dead{ending}"
    client = broker.client()
    for each in (name, dead):
        for url in client.list_queues(QueueNamePrefix=each).get("QueueUrls", ()):
            client.delete_queue(QueueUrl=url)


@contextmanager
def amqp_broker(url: str | None = None) -> Iterator[AmqpBroker]:
    """Give a broker on RabbitMQ."""
    broker = AmqpBroker(QueuesSettings(url=Secret(url or server_url("rabbitmq"))))
    try:
        yield broker
    finally:
        broker.close()


@contextmanager
def amqp_queue(broker: AmqpBroker) -> Iterator[str]:
    """Give an empty queue, and take it away with its dead letters."""
    name = f"snow-{uuid.uuid4().hex[:8]}"
    broker.declare(name)
    yield name
    for each in (name, f"{name}.dead"):
        on_channel(lambda channel, each=each: channel.queue_delete(each))


def on_channel(use: Callable[[Any], Any], url: str | None = None) -> Any:
    """Use RabbitMQ as somebody else does, who knows nothing of Buttress."""
    options = address_of(Secret(url or server_url("rabbitmq"))).options()
    with amqp.Connection(**options, connect_timeout=5) as connection:
        return use(connection.channel())
