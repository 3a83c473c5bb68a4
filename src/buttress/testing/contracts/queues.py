"""What every broker does.

A test module imports all of this and offers the fixtures ``broker``, a `Broker`, and ``queue``, the
name of a queue that it has and that is empty when the test begins. ``VISIBILITY`` is the shortest
time, in seconds, for which the broker can hide a message.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from buttress.errors import UnknownQueue
from buttress.queues import Broker, Message, Outgoing

VISIBILITY = 1.0
BODIES = {
    "text": "Schnee ❄ and 𝄞",
    "lines": "one\r\ntwo\ttabs",
    "markup": '<a href="x">&amp; \' ]]></a>',
    "JSON": '{"piste": "verte", "cm": [1, 2.5, null]}',
    "a space": " ",
    "200 KB": "x" * 200_000,
}


def outgoing(body: str = "snow", **options: Any) -> Outgoing:
    """Make a message."""
    return Outgoing(id=uuid.uuid4().hex, body=body, sent=time.time(), **options)


def received(broker: Broker, queue: str, number: int, wait: float = 5.0) -> list[Message]:
    """Receive so many messages, in as many calls as it takes."""
    found: list[Message] = []
    end = time.monotonic() + wait
    while len(found) < number and time.monotonic() < end:
        limit = min(10, number - len(found))
        found += broker.receive(queue, limit=limit, wait=1.0, visibility=30.0)
    return found


def emptied(broker: Broker, queue: str) -> Iterator[Message]:
    """Receive and delete all there is."""
    while messages := broker.receive(queue, limit=10, wait=0.5, visibility=30.0):
        broker.delete(messages)
        yield from messages


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_message_arrives_as_it_was_sent(broker: Broker, queue: str, body: str) -> None:
    """Body, attributes, id, times and the id of the request arrive as they were."""
    sent = outgoing(body, attributes={"resort": "Zermatt ❄", "n.o": "7"}, request_id="r-1")
    receipt = broker.send(queue, [sent])[0]
    message = received(broker, queue, 1)[0]
    assert (receipt.id, receipt.queue, receipt.deferred) == (sent.id, queue, False)
    assert (message.body, dict(message.attributes)) == (body, dict(sent.attributes))
    assert (message.id, message.request_id, message.count) == (sent.id, "r-1", 1)
    assert message.sent == pytest.approx(sent.sent, abs=0.001)


def test_what_is_deleted_is_gone(broker: Broker, queue: str) -> None:
    """A message that was deleted does not come back."""
    broker.send(queue, [outgoing()])
    broker.delete(received(broker, queue, 1))
    time.sleep(VISIBILITY)
    assert broker.receive(queue, limit=10, wait=0, visibility=VISIBILITY) == []


def test_what_is_received_is_hidden(broker: Broker, queue: str) -> None:
    """A message is hidden while somebody has it, and comes back when given back."""
    broker.send(queue, [outgoing()])
    first = received(broker, queue, 1)
    assert broker.receive(queue, limit=10, wait=0.2, visibility=VISIBILITY) == []
    broker.release(first, 0.0)
    again = received(broker, queue, 1)
    assert [(it.id, it.count) for it in again] == [(first[0].id, 2)]


def test_many_at_once(broker: Broker, queue: str) -> None:
    """Many messages of one call all arrive, each once."""
    sent = [outgoing(f"flake {number}") for number in range(35)]
    assert [it.id for it in broker.send(queue, sent)] == [it.id for it in sent]
    found = received(broker, queue, 35)
    assert sorted(it.body for it in found) == sorted(it.body for it in sent)
    broker.delete(found)
    assert broker.depth(queue)[:3] == (0, 0, 0)


def test_no_more_than_asked_for(broker: Broker, queue: str) -> None:
    """A limit holds."""
    broker.send(queue, [outgoing() for _ in range(8)])
    assert len(broker.receive(queue, limit=3, wait=2.0, visibility=30.0)) <= 3


def test_a_wait_ends_with_a_message(broker: Broker, queue: str) -> None:
    """Who waits gets what is sent meanwhile, without waiting to the end."""
    later = threading.Timer(0.3, broker.send, (queue, [outgoing()]))
    later.start()
    began = time.monotonic()
    found = broker.receive(queue, limit=1, wait=15.0, visibility=30.0)
    later.join()
    assert len(found) == 1
    assert time.monotonic() - began < 5


def test_a_wait_for_nothing_ends(broker: Broker, queue: str) -> None:
    """Who waits in vain gets nothing, in time."""
    began = time.monotonic()
    assert broker.receive(queue, limit=1, wait=1.0, visibility=30.0) == []
    assert 0.5 <= time.monotonic() - began < 4


def test_a_delay(broker: Broker, queue: str) -> None:
    """A delayed message comes after its delay and not before."""
    broker.send(queue, [outgoing(delay=1.5)])
    assert broker.receive(queue, limit=1, wait=0.5, visibility=30.0) == []
    assert len(received(broker, queue, 1)) == 1


def test_what_failed_comes_back_later(broker: Broker, queue: str) -> None:
    """A message that is given back with a delay comes after it."""
    broker.send(queue, [outgoing()])
    broker.release(received(broker, queue, 1), 1.5)
    assert broker.receive(queue, limit=1, wait=0.5, visibility=30.0) == []
    assert [it.count for it in received(broker, queue, 1)] == [2]


def test_each_message_goes_to_one(broker: Broker, queue: str) -> None:
    """Of several who receive at the same time each gets others."""
    broker.send(queue, [outgoing(str(number)) for number in range(40)])
    found: list[str] = []

    def work() -> None:
        found.extend(message.body for message in emptied(broker, queue))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=int) == [str(number) for number in range(40)]


def test_dead_letters(broker: Broker, queue: str) -> None:
    """What is buried is kept with its reason, and comes back when it is replayed."""
    broker.send(queue, [outgoing("good"), outgoing("bad")])
    found = {message.body: message for message in received(broker, queue, 2)}
    broker.bury([found["bad"].because("no snow")])
    broker.delete([found["good"]])
    assert _within(5, lambda: broker.depth(queue).dead == 1)
    dead = broker.peek(queue, limit=10, dead=True)
    assert [(it.id, it.body, it.reason) for it in dead] == [(found["bad"].id, "bad", "no snow")]
    assert broker.replay(queue, limit=10) == 1
    assert [(it.body, it.count) for it in received(broker, queue, 1)] == [("bad", 1)]
    assert broker.depth(queue).dead == 0


def test_a_look_takes_nothing(broker: Broker, queue: str) -> None:
    """What was looked at is still there."""
    broker.send(queue, [outgoing("snow")])
    assert [it.body for it in broker.peek(queue, limit=10, dead=False)] == ["snow"]
    assert len(received(broker, queue, 1)) == 1


def test_purge(broker: Broker, queue: str) -> None:
    """A purge removes all messages, or all dead letters."""
    broker.send(queue, [outgoing("dead"), outgoing("gone")])
    dead = [it for it in received(broker, queue, 2) if it.body == "dead"]
    broker.bury([it.because("no snow") for it in dead])
    broker.purge(queue, dead=False)
    assert _within(5, lambda: broker.depth(queue)[:3] == (0, 0, 0) or not _settled(broker))
    assert broker.depth(queue).dead == 1
    broker.purge(queue, dead=True)
    assert _within(5, lambda: broker.depth(queue).dead == 0)


def test_depth(broker: Broker, queue: str) -> None:
    """The messages of a queue are counted by what they wait for."""
    broker.send(queue, [outgoing(), outgoing(), outgoing(delay=60)])
    assert len(received(broker, queue, 1)) == 1
    assert _within(5, lambda: broker.depth(queue)[:4] == (1, 1, 1, 0))


def test_an_unknown_queue(broker: Broker) -> None:
    """A queue that is not there is named, with what to do; nothing is sent."""
    with pytest.raises(UnknownQueue, match="There is no queue 'nowhere-at-all'"):
        broker.send("nowhere-at-all", [outgoing()])
    with pytest.raises(UnknownQueue, match="nowhere-at-all"):
        broker.depth("nowhere-at-all")


def test_declared_twice(broker: Broker, queue: str) -> None:
    """A queue may be made again; what it has stays."""
    broker.send(queue, [outgoing()])
    broker.declare(queue)
    assert len(received(broker, queue, 1)) == 1


def test_names_of_queues(broker: Broker, queue: str) -> None:
    """The queues are named, those of dead letters are not."""
    assert [name for name in broker.queues() if name.startswith(queue)] == [queue]


def test_an_answer(broker: Broker) -> None:
    """A broker that is there answers."""
    broker.ping()


def _settled(broker: Broker) -> bool:
    """Tell whether a purge reaches what somebody has received; not so where it is theirs."""
    return broker.name != "amqp"


def _within(seconds: float, holds: Any) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(holds())
