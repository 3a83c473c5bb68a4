"""Queues: one contract for messages, on the database, in memory, on SQS or on RabbitMQ."""

from __future__ import annotations

from buttress.queues.broker import Broker, Depth
from buttress.queues.extension import QueuesExtension
from buttress.queues.memory import MemoryBroker
from buttress.queues.message import Message, Outgoing, Receipt
from buttress.queues.queues import Queues
from buttress.queues.settings import QueuesSettings

__all__ = [
    # the extension
    "Queues",
    "QueuesExtension",
    "QueuesSettings",
    # messages
    "Message",
    "Outgoing",
    "Receipt",
    # what a technology offers
    "Broker",
    "Depth",
    "MemoryBroker",
]
