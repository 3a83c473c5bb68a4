"""The broker at SQS with a queue that keeps order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from buttress.errors import MessageError
from buttress.queues.sqs import SqsBroker
from buttress.queues.sqs_message import copy
from buttress.testing.contracts.queue_groups import (
    test_a_visibility_ends,
    test_a_visibility_is_extended,
    test_groups_keep_their_order,
)
from buttress.testing.contracts.queues import (
    outgoing,
    received,
    test_a_message_arrives_as_it_was_sent,
    test_a_wait_for_nothing_ends,
    test_declared_twice,
    test_names_of_queues,
    test_what_is_deleted_is_gone,
    test_what_is_received_is_hidden,
)
from tests.queues.brokers import sqs_broker, sqs_queue

__all__ = [
    "test_a_message_arrives_as_it_was_sent",
    "test_a_visibility_ends",
    "test_a_visibility_is_extended",
    "test_a_wait_for_nothing_ends",
    "test_declared_twice",
    "test_groups_keep_their_order",
    "test_names_of_queues",
    "test_what_is_deleted_is_gone",
    "test_what_is_received_is_hidden",
]


@pytest.fixture(scope="module")
def broker() -> Iterator[SqsBroker]:
    """Give a broker; making its client is slow."""
    with sqs_broker() as broker:
        yield broker


@pytest.fixture
def queue(broker: SqsBroker) -> Iterator[str]:
    """Give a queue that keeps order."""
    with sqs_queue(broker, ".fifo") as name:
        yield name


def test_duplicates(broker: SqsBroker, queue: str) -> None:
    """A second message with the same id against duplicates is not taken."""
    for body in ("first", "second"):
        broker.send(queue, [outgoing(body, dedup_id="report-7", group_id=body)])
    broker.send(queue, [outgoing("third", dedup_id="report-8", group_id="third")])
    assert sorted(it.body for it in received(broker, queue, 3, wait=1.5)) == ["first", "third"]


def test_messages_without_group_keep_the_order_of_the_queue(broker: SqsBroker, queue: str) -> None:
    """Messages that name no group are one group."""
    broker.send(queue, [outgoing("1"), outgoing("2")])
    assert [it.body for it in broker.receive(queue, limit=10, wait=1, visibility=30)] == ["1"]


def test_a_delay_is_refused(broker: SqsBroker, queue: str) -> None:
    """A delay, which SQS knows for whole FIFO queues only, is an error; nothing is sent."""
    with pytest.raises(MessageError, match="delays no single message"):
        broker.send(queue, [outgoing("1"), outgoing("2", delay=1.0)])
    assert broker.depth(queue).ready == 0


def test_dead_letters_that_come_back_at_once(broker: SqsBroker, queue: str) -> None:
    """A message may be buried, replayed and buried again within minutes; SQS loses none."""
    broker.send(queue, [outgoing("bad")])
    for _ in range(2):
        broker.bury([it.because("no snow") for it in received(broker, queue, 1)])
        assert broker.depth(queue)[:4] == (0, 0, 0, 1)
        assert broker.replay(queue, limit=10) == 1
    assert [(it.body, it.reason) for it in received(broker, queue, 1)] == [("bad", None)]


def test_each_copy_is_new_to_sqs(broker: SqsBroker, queue: str) -> None:
    """A copy has an id against duplicates of its own, or SQS would swallow the second one."""
    broker.send(queue, [outgoing("bad")])
    [message] = received(broker, queue, 1)
    copies = [copy(queue, message, 262_144)["MessageDeduplicationId"] for _ in range(2)]
    assert len({*copies, message.id}) == 3
