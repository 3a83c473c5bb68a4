"""The broker on RabbitMQ."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import amqp
import pytest

from buttress.config import Secret
from buttress.errors import ConfigError, SetupError, Unavailable
from buttress.queues import QueuesSettings, amqp_delay
from buttress.queues.amqp import AmqpBroker
from buttress.queues.amqp_address import address_of
from buttress.testing.contracts.queue_groups import (
    test_a_visibility_ends,
    test_a_visibility_is_extended,
)
from buttress.testing.contracts.queues import *  # noqa: F403  # the contract
from buttress.testing.contracts.queues import outgoing, received
from tests.private import private_server
from tests.queues.brokers import amqp_broker, amqp_queue, on_channel
from tests.queues.conftest import eventually
from tests.servers import server_url
from tools.services.place import free_port

__all__ = ["test_a_visibility_ends", "test_a_visibility_is_extended"]

#: Seconds after which a new queue is surely on the broker's disk, which it says before.
FOUNDED = 1.0
#: A process that receives what there is, says so, and never settles it.
HOLDER = """
import sys, time
from buttress.config import Secret
from buttress.queues import QueuesSettings
from buttress.queues.amqp import AmqpBroker

broker = AmqpBroker(QueuesSettings(url=Secret(sys.argv[1])))
found = broker.receive(sys.argv[2], limit=10, wait=10, visibility=600)
print(len(found), flush=True)
time.sleep(60)
"""


@pytest.fixture
def broker() -> Iterator[AmqpBroker]:
    """Give a broker."""
    with amqp_broker() as broker:
        yield broker


@pytest.fixture
def queue(broker: AmqpBroker) -> Iterator[str]:
    """Give a queue."""
    with amqp_queue(broker) as name:
        yield name


def test_a_killed_consumer_loses_nothing(broker: AmqpBroker, queue: str) -> None:
    """What a process had that was killed comes to others, as its second delivery."""
    broker.send(queue, [outgoing(str(number)) for number in range(3)])
    command = [sys.executable, "-c", HOLDER, server_url("rabbitmq"), queue]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "3\n"
        assert broker.depth(queue).ready == 0
        holder.send_signal(signal.SIGKILL)
    found = received(broker, queue, 3)
    assert sorted((it.body, it.count) for it in found) == [("0", 2), ("1", 2), ("2", 2)]


def test_a_broker_that_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is down all is unavailable; then all comes, new but for what was in hand."""
    with private_server("rabbitmq", monkeypatch) as server, amqp_broker(server.url) as broker:
        broker.declare("snow")
        broker.send("snow", [outgoing(str(number)) for number in range(30)])
        held = broker.receive("snow", limit=2, wait=5, visibility=30)
        time.sleep(FOUNDED)
        server.kill()
        with pytest.raises(Unavailable):
            broker.receive("snow", limit=4, wait=1, visibility=30)
        with pytest.raises(Unavailable):
            broker.send("snow", [outgoing("new")])
        broker.delete(held)
        server.start()
        assert eventually(lambda: _sends(broker), 30)
        found: dict[str, int] = {}
        assert eventually(lambda: found.update(_taken(broker, "snow", 4)) or len(found) == 31, 20)
    known = {str(number): 2 if number < 4 else 1 for number in range(30)}
    assert found == {**known, "new": 1}


def test_every_delivery_is_counted(broker: AmqpBroker, queue: str) -> None:
    """A message that ends the process of each who has it comes with its number each time."""
    broker.send(queue, [outgoing("bomb")])
    counts = []
    for _ in range(4):
        with amqp_broker() as other:
            [message] = received(other, queue, 1)
            counts.append(message.count)
            message.tag.link.abandon()
    assert counts == [1, 2, 3, 4]


def test_others_count_deliveries_too(broker: AmqpBroker, queue: str) -> None:
    """Who has long been receiving counts what another process died of."""
    broker.send(queue, [outgoing(str(number)) for number in range(3)])
    broker.delete(received(broker, queue, 3))
    broker.send(queue, [outgoing("bomb"), outgoing("innocent")])
    with amqp_broker() as other:
        received(other, queue, 2)[0].tag.link.abandon()
    assert _taken(broker, queue, 9) == {"bomb": 2, "innocent": 2}


def test_who_looks_again_gets_what_is_sent_anew(broker: AmqpBroker, queue: str) -> None:
    """One call receives a message whose delivery it had to count first."""
    broker.send(queue, [outgoing("1")])
    with amqp_broker() as other:
        received(other, queue, 1)[0].tag.link.abandon()
    [message] = broker.receive(queue, limit=1, wait=5, visibility=30)
    assert message.count == 2


@pytest.mark.parametrize("late", ["release at once", "release later", "bury"])
def test_a_decision_that_comes_too_late(broker: AmqpBroker, queue: str, late: str) -> None:
    """What came back meanwhile is others' to decide about: it is neither doubled nor buried."""
    broker.send(queue, [outgoing()])
    first = received(broker, queue, 1)
    broker.extend(first, -1)
    [again] = received(broker, queue, 1)
    if late == "bury":
        broker.bury(first)
    else:
        broker.release(first, 0.0 if late == "release at once" else 0.1)
    broker.delete([again])
    assert broker.receive(queue, limit=9, wait=0.3, visibility=30) == []
    assert broker.depth(queue).dead == 0


def test_what_is_settled_is_held_no_longer(broker: AmqpBroker, queue: str) -> None:
    """A message that one thread keeps hidden while another deletes it is not kept for ever."""
    broker.send(queue, [outgoing()])
    found = received(broker, queue, 1)
    link = found[0].tag.link
    deleting = threading.Thread(target=broker.delete, args=(found,))

    class Slow(dict[int, Any]):
        def __getitem__(self, number: int) -> Any:
            if not deleting.ident:
                deleting.start()
                deleting.join(0.2)
            return super().__getitem__(number)

    link.held = Slow(link.held)
    broker.extend(found, 30.0)
    deleting.join()
    assert link.held == {}


def test_a_lost_connection_is_made_anew(broker: AmqpBroker, queue: str) -> None:
    """A connection that rested and was lost meanwhile costs nobody anything."""
    broker.send(queue, [outgoing("1")])
    for link in broker._state.publishers.links():
        link._connection.sock.close()
    broker.send(queue, [outgoing("2")])
    assert sorted(it.body for it in received(broker, queue, 2)) == ["1", "2"]


def test_messages_of_a_lost_connection(broker: AmqpBroker, queue: str) -> None:
    """What is said of messages whose connection is lost is passed over; they come again."""
    broker.send(queue, [outgoing("1"), outgoing("2")])
    found = received(broker, queue, 2)
    found[0].tag.link._connection.sock.close()
    broker.delete(found[:1])
    broker.release(found[1:], 0.0)
    assert sorted((it.body, it.count) for it in received(broker, queue, 2)) == [("1", 2), ("2", 2)]


def test_a_wait_is_ended(broker: AmqpBroker, queue: str) -> None:
    """A wake ends a wait that has long to go."""
    later = threading.Timer(0.2, broker.wake, (queue,))
    later.start()
    began = time.monotonic()
    assert broker.receive(queue, limit=1, wait=20, visibility=30) == []
    later.join()
    assert time.monotonic() - began < 2


def test_the_count_survives_a_delay(broker: AmqpBroker, queue: str) -> None:
    """Deliveries are counted on, whichever way a message comes back."""
    broker.send(queue, [outgoing()])
    counts = []
    for delay in (0.1, 0.0, 0.1):
        [message] = received(broker, queue, 1)
        counts.append(message.count)
        broker.release([message], delay)
    assert [*counts, received(broker, queue, 1)[0].count] == [1, 2, 3, 4]


def test_what_cannot_be_moved_comes_back(broker: AmqpBroker, queue: str) -> None:
    """A message that could not be moved to where it waits is given back."""
    broker.send(queue, [outgoing()])
    found = received(broker, queue, 1)
    own, broker._address = broker._address, address_of(Secret(f"amqp://127.0.0.1:{free_port()}"))
    [link] = broker._state.publishers.links()
    broker._state.publishers.forget()
    link.abandon()
    with pytest.raises(Unavailable):
        broker.release(found, 1.0)
    broker._address = own
    assert [it.count for it in received(broker, queue, 1)] == [2]


def test_another_senders_message(broker: AmqpBroker, queue: str) -> None:
    """What did not come from Buttress is carried as it is, to the dead letters too."""
    body = b"\xff snow"
    headers = {"resort": "Zermatt", "n": 7}
    sent = amqp.Message(body, application_headers=headers, message_id="m-1")
    on_channel(lambda channel: channel.basic_publish(sent, routing_key=queue))
    [message] = received(broker, queue, 1)
    assert (message.id, message.body, message.count) == ("m-1", "\ufffd snow", 1)
    assert message.attributes == {"resort": "Zermatt", "n": "7"}
    broker.bury([message.because("no text")])
    dead = on_channel(lambda channel: _fetched(channel, f"{queue}.dead"))
    assert (dead.body, dead.headers["resort"]) == (body, "Zermatt")


@pytest.mark.parametrize(
    "said",
    [
        {"timestamp": 1_700_000_000},
        {"priority": 3, "correlation_id": "c", "reply_to": "r", "type": "t"},
        {"application_headers": {"buttress": "snow"}},
        {"application_headers": {"buttress": {"count": "x", "attributes": [1], "sent": "y"}}},
        {"application_headers": {"list": [1, None], "when": datetime(2026, 1, 31)}},  # noqa: DTZ001  # of AMQP
    ],
)
def test_whatever_another_sender_says(broker: AmqpBroker, queue: str, said: Any) -> None:
    """A message is received, whatever its properties are."""
    sent = amqp.Message(b"snow", **said)
    on_channel(lambda channel: channel.basic_publish(sent, routing_key=queue))
    [message] = received(broker, queue, 1)
    assert (message.body, message.count) == ("snow", 1)
    assert message.sent == said.get("timestamp")


def test_a_dead_letter_goes_to_one_queue(broker: AmqpBroker, queue: str) -> None:
    """A message that was sent to several queues at once is not when it is sent on."""
    sent = amqp.Message(b"snow", application_headers={"CC": [f"{queue}.dead"]})
    on_channel(lambda channel: channel.basic_publish(sent, routing_key=queue))
    broker.purge(queue, dead=True)
    broker.release(received(broker, queue, 1), 0.0)
    assert [it.body for it in received(broker, queue, 1)] == ["snow"]
    assert broker.depth(queue).dead == 0


def test_a_queue_of_another_kind_is_taken_as_it_is(broker: AmqpBroker) -> None:
    """A queue that somebody made otherwise may be used."""
    name = f"snow-classic-{os.getpid()}"
    on_channel(lambda channel: channel.queue_declare(name, durable=True, auto_delete=False))
    try:
        broker.declare(name)
        broker.send(name, [outgoing("1")])
        assert [it.body for it in received(broker, name, 1)] == ["1"]
    finally:
        for each in (name, f"{name}.dead"):
            on_channel(lambda channel, each=each: channel.queue_delete(each))


def test_a_delay_for_a_queue_that_is_not_there(broker: AmqpBroker) -> None:
    """A delayed message for a missing queue is refused at once."""
    with pytest.raises(ValueError, match="There is no queue 'nowhere-at-all'"):
        broker.send("nowhere-at-all", [outgoing(delay=5)])


def test_threads_that_ended_leave_no_connections(broker: AmqpBroker, queue: str) -> None:
    """The connection of a thread goes after it, once its messages are settled."""
    for _ in range(3):
        thread = threading.Thread(
            target=broker.receive, args=(queue,), kwargs={"limit": 1, "wait": 0, "visibility": 30}
        )
        thread.start()
        thread.join()
    broker.receive(queue, limit=1, wait=0, visibility=30)
    assert len(broker._state.receivers.links()) == 1


def test_a_fork_has_connections_of_its_own(
    broker: AmqpBroker, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connections of the parent are neither used nor closed in a fork."""
    broker.send(queue, [outgoing()])
    [before] = broker._state.publishers.links()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        broker.send(queue, [outgoing()])
        assert before not in broker._state.publishers.links()
        broker.close()
    assert before.count(queue) == 2
    before.close()


def test_nobody_is_there() -> None:
    """A broker that is not there is unavailable, and soon."""
    with amqp_broker(f"amqp://127.0.0.1:{free_port()}") as broker:
        for use in (broker.ping, lambda: broker.declare("snow")):
            with pytest.raises(Unavailable) as caught:
                use()
            assert caught.value.retry_after > 0


def test_a_wrong_password(broker: AmqpBroker) -> None:
    """A password that is refused is a mistake to mend, and is not shown."""
    address = address_of(Secret(server_url("rabbitmq")))
    url = f"amqp://{address.user}:wr0ng@{address.host}:{address.port}"
    raised = pytest.raises(SetupError, match="RabbitMQ refuses")
    with amqp_broker(url) as stranger, raised as caught:
        stranger.ping()
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["amqp:", "amqp://host:x/", "amqp://host/a/b", "amqp://u:p?w@host", "amqp://[::1"]
)
def test_a_url_that_is_none(url: str) -> None:
    """A URL that cannot be read is an error, which does not show it."""
    with pytest.raises(ConfigError, match="is no AMQP URL") as caught:
        AmqpBroker(QueuesSettings(url=Secret(url)))
    assert url not in str(caught.value)


def test_a_url_is_read_as_rabbitmq_reads_it() -> None:
    """What a URL leaves out has RabbitMQ's defaults; names and passwords are unquoted."""
    plain = address_of(Secret("amqp://broker"))
    assert (plain.port, plain.user, plain.virtual_host, plain.tls) == (5672, "guest", "/", False)
    full = address_of(Secret("amqps://me:p%2Fw@broker/a%2Fb"))
    assert (full.port, full.password.reveal(), full.virtual_host) == (5671, "p/w", "a/b")
    assert full.options()["ssl"]["server_hostname"] == "broker"


@pytest.mark.parametrize(
    ("seconds", "step"), [(0.01, 100), (0.1, 100), (0.101, 200), (2.5, 3_000), (61, 75_000)]
)
def test_delays_are_rounded_up(seconds: float, step: int) -> None:
    """A delay is never shorter than asked for, and at most half as long again from 0.3 s on."""
    assert amqp_delay.step(seconds) == step
    assert all(
        b <= 1.5 * a for a, b in zip(amqp_delay.STEPS[2:], amqp_delay.STEPS[3:], strict=False)
    )


def _taken(broker: AmqpBroker, queue: str, limit: int) -> dict[str, int]:
    """Receive and delete what comes at once; give the counts by the bodies."""
    found = broker.receive(queue, limit=limit, wait=1, visibility=30)
    broker.delete(found)
    return {it.body: it.count for it in found}


def _sends(broker: AmqpBroker) -> bool:
    """Tell whether a message is taken; a broker that starts answers before it can."""
    try:
        broker.send("snow", [outgoing("new")])
    except Unavailable:
        return False
    return True


def _fetched(channel: amqp.Channel, queue: str) -> amqp.Message:
    channel.auto_decode = False
    return channel.basic_get(queue, no_ack=True)
