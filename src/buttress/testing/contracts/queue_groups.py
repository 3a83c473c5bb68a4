"""What brokers do that know groups, ids against duplicates, and the end of a visibility.

Beside the fixtures of `buttress.testing.contracts.queues`.
"""

from __future__ import annotations

import threading
import time

from buttress.queues import Broker, Message
from buttress.testing.contracts.queues import VISIBILITY, outgoing, received


def test_a_visibility_ends(broker: Broker, queue: str) -> None:
    """What nobody deletes comes back when its visibility ends; the older delivery has no say."""
    broker.send(queue, [outgoing()])
    first = broker.receive(queue, limit=1, wait=2.0, visibility=VISIBILITY)
    again = received(broker, queue, 1)
    assert [it.count for it in again] == [2]
    broker.delete(again)
    broker.release(first, 0.0)
    assert broker.receive(queue, limit=1, wait=0.2, visibility=VISIBILITY) == []


def test_a_visibility_is_extended(broker: Broker, queue: str) -> None:
    """What is extended stays hidden."""
    broker.send(queue, [outgoing()])
    first = broker.receive(queue, limit=1, wait=2.0, visibility=VISIBILITY)
    broker.extend(first, 30.0)
    time.sleep(VISIBILITY + 0.2)
    assert broker.receive(queue, limit=1, wait=0.0, visibility=VISIBILITY) == []


def test_groups_keep_their_order(broker: Broker, queue: str) -> None:
    """The second of a group comes once the first is done; other groups do not wait."""
    broker.send(queue, [outgoing(f"a{it}", group_id="a") for it in range(3)])
    broker.send(queue, [outgoing("b0", group_id="b")])
    found = received(broker, queue, 2)
    assert sorted(message.body for message in found) == ["a0", "b0"]
    assert broker.receive(queue, limit=10, wait=0.2, visibility=30.0) == []
    order = []
    for _ in range(2):
        broker.delete([it for it in found if it.body.startswith("a")])
        found = received(broker, queue, 1)
        order += [it.body for it in found]
    assert order == ["a1", "a2"]


def test_duplicates(broker: Broker, queue: str) -> None:
    """A second message with the same id against duplicates is not taken."""
    for body in ("first", "second"):
        broker.send(queue, [outgoing(body, dedup_id="report-7")])
    broker.send(queue, [outgoing("third", dedup_id="report-8")])
    assert sorted(it.body for it in received(broker, queue, 3, wait=1.5)) == ["first", "third"]


def test_a_wait_is_ended(broker: Broker, queue: str) -> None:
    """Who waits for messages is woken at once where the process needs it."""
    found: list[list[Message]] = []
    began = time.monotonic()
    waiting = threading.Thread(
        target=lambda: found.append(broker.receive(queue, limit=1, wait=15.0, visibility=30.0))
    )
    waiting.start()
    time.sleep(0.3)
    broker.wake(queue)
    waiting.join()
    assert found == [[]]
    assert time.monotonic() - began < 3
