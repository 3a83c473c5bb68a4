"""Consuming: each message is handled, again if need be, and none is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import current_app

from buttress import LifecycleError, Service
from buttress.lifecycle import Deadline
from buttress.pulse import Message
from buttress.web import current_request_id
from tests.pulse.broker import Broker, until
from tests.pulse.conftest import MakePulse
from tests.pulse.forwarder import forwarder

Handler = Callable[[Any, Message], Any]


def begin(app: Service, broker: Broker, handler: Handler, **options: Any) -> str:
    """Give a service this consumer, start it, and wait until it consumes; gives its queue."""
    queue = broker.queue()
    options = {"queue": broker.name, "declare_exchange": True, **options}
    app.pulse.consumer(broker.exchange, options.pop("routing_key", "#"), **options)(handler)
    app.start()
    until(lambda: details(app, queue)["running"])
    return queue


def details(app: Service, queue: str) -> dict[str, Any]:
    """Tell what the heartbeat shows of a consumer."""
    found: dict[str, Any] = app.pulse.check()["consumers"][queue]
    return found


def consuming(app: Service) -> Callable[[], bool]:
    """Give a function that tells whether the first consumer of a service receives."""
    return lambda: app.pulse._consumers[0].details()["running"]


def test_a_message_is_handled_and_acknowledged(app: Service, broker: Broker) -> None:
    """The handler gets the body with its envelope, and the message is off the queue."""
    seen: list[Any] = []
    queue = begin(app, broker, lambda *it: seen.append(it), routing_key="piste.*")
    app.pulse.publish(broker.exchange, "lift.1", "not asked for")
    app.pulse.publish(broker.exchange, "piste.7", {"cm": 30})
    until(lambda: details(app, queue)["handled"])
    [(body, message)] = seen
    assert body["payload"] == message.payload == {"cm": 30}
    assert (message.exchange, message.routing_key) == (broker.exchange, "piste.7")
    assert (message.deliveries, message.settled) == (1, "acknowledged")
    app.close()
    assert broker.count(queue) == 0


def test_several_routing_keys_fill_one_queue(app: Service, broker: Broker) -> None:
    """Either is enough."""
    seen: list[Any] = []
    begin(app, broker, lambda _, it: seen.append(it.routing_key), routing_key=("a.#", "b"))
    for key in ("a", "a.1.2", "b", "c", "b.1", "b"):
        app.pulse.publish(broker.exchange, key, {})
    until(lambda: len(seen) == 4)
    assert seen == ["a", "a.1.2", "b", "b"]


def test_a_handler_runs_as_part_of_the_service(app: Service, broker: Broker) -> None:
    """It has the application's context, and the id of the request that caused the message."""
    seen: list[Any] = []
    begin(app, broker, lambda *_: seen.append((current_app.name, current_request_id())))
    broker.send(b"{}", application_headers={"X-Request-Id": "abc-1"})
    broker.send(b"{}", message_id="m-2")
    until(lambda: len(seen) == 2)
    assert seen == [("shop", "abc-1"), ("shop", "m-2")]


def fail(_body: Any, _message: Message) -> None:
    """Be a handler that fails."""
    raise RuntimeError("no snow")


def leave(_body: Any, _message: Message) -> None:
    """Be a handler that calls exit()."""
    raise SystemExit(3)


@pytest.mark.parametrize("handler", [fail, leave, lambda *_: False], ids=["raise", "exit", "False"])
def test_what_is_never_handled_is_a_dead_letter(
    serve: MakePulse, broker: Broker, handler: Handler
) -> None:
    """It is delivered exactly so many times, and then kept beside; the next one is handled."""
    seen: list[int] = []

    def handle(body: Any, message: Message) -> Any:
        if body == "good":
            return None
        seen.append(message.deliveries)
        return handler(body, message)

    app = serve(PULSE_MAX_DELIVERIES=3)
    queue = begin(app, broker, handle)
    broker.send(b'"poison"')
    broker.send(b'"good"')
    until(lambda: details(app, queue)["handled"])
    letter = broker.get(f"{queue}/dead")
    assert (letter.body, letter.headers["X-Origin-Routing-Key"]) == (b'"poison"', "snow")
    assert letter.headers["X-Dead-Reason"] == "was delivered 3 times and not handled"
    assert seen == [1, 2, 3]
    assert details(app, queue)["failed"] == 3


def test_without_a_dead_letter_queue_nothing_is_dropped(app: Service, broker: Broker) -> None:
    """Where somebody deleted it, it is made again, and the message ends up there."""
    queue = begin(app, broker, lambda *_: None)
    broker.channel.queue_delete(f"{queue}/dead")
    broker.send(b"no JSON")
    until(lambda: app.pulse._consumers[0].failure)
    until(consuming(app))
    assert broker.get(f"{queue}/dead").body == b"no JSON"


def test_what_is_handled_later_is_no_dead_letter(app: Service, broker: Broker) -> None:
    """A failure that passes costs a moment and no message."""
    seen: list[int] = []

    def handle(_: Any, message: Message) -> bool:
        seen.append(message.deliveries)
        return message.deliveries == 3

    queue = begin(app, broker, handle)
    broker.send(b"{}")
    until(lambda: details(app, queue)["handled"])
    assert seen == [1, 2, 3]
    assert broker.count(f"{queue}/dead") == 0


def test_what_is_no_json_is_a_dead_letter_at_once(
    app: Service, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """The handler never sees it, and the log says why."""
    seen: list[Any] = []
    queue = begin(app, broker, lambda body, _: seen.append(body))
    broker.send(b"\x80snow", content_encoding="zlib")
    broker.send(b'"good"')
    assert broker.get(f"{queue}/dead").body == b"\x80snow"
    until(lambda: seen == ["good"])
    assert any("is no JSON" in it for it in caplog.messages)


@pytest.mark.parametrize(("decision", "dead"), [("ack", 0), ("reject", 1)])
def test_a_handler_may_decide_itself(
    app: Service, broker: Broker, decision: str, dead: int
) -> None:
    """What it has settled stays so, even if it then fails."""

    def handle(_: Any, message: Message) -> None:
        getattr(message, decision)()
        raise RuntimeError("too late to matter")

    queue = begin(app, broker, handle)
    broker.send(b"{}")
    until(lambda: details(app, queue)["failed"])
    until(lambda: broker.count(f"{queue}/dead") == dead)
    app.close()
    assert broker.count(queue) == 0


def test_a_handler_may_put_a_message_back(app: Service, broker: Broker) -> None:
    """It is delivered again at once, and that is no failure."""
    seen: list[int] = []

    def handle(_: Any, message: Message) -> None:
        seen.append(message.deliveries)
        if message.deliveries == 1:
            message.requeue()

    queue = begin(app, broker, handle)
    broker.send(b"{}")
    until(lambda: seen == [1, 2])
    assert details(app, queue)["failed"] == 0


def test_a_message_is_settled_once(app: Service, broker: Broker) -> None:
    """A second decision is refused where it is made."""
    seen: list[str] = []

    def handle(_: Any, message: Message) -> None:
        message.ack()
        try:
            message.reject()
        except LifecycleError as error:
            seen.append(str(error))

    begin(app, broker, handle)
    broker.send(b"{}")
    until(lambda: seen)
    assert seen == ["The message is acknowledged already: settle it once."]


def test_a_long_handler_keeps_its_connection(serve: MakePulse, broker: Broker) -> None:
    """One that takes several times what the broker waits for a heartbeat is not repeated."""
    seen: list[int] = []

    def handle(_: Any, message: Message) -> None:
        seen.append(message.deliveries)
        if len(seen) == 1:
            time.sleep(3.5)

    app = serve(PULSE_HEARTBEAT=1)
    queue = begin(app, broker, handle)
    broker.send(b"{}")
    until(lambda: details(app, queue)["handled"])
    broker.send(b"{}")
    until(lambda: len(seen) == 2)
    app.lifecycle.drain(Deadline(5))
    assert seen == [1, 1]
    assert broker.count(queue) == 0


def test_draining_ends_the_handler_and_gives_back_the_rest(
    serve: MakePulse, broker: Broker
) -> None:
    """What was fetched ahead is there for others; what is being handled is finished."""
    going, may_end = threading.Event(), threading.Event()

    def handle(_body: Any, _message: Message) -> None:
        going.set()
        may_end.wait(5)

    app = serve(PULSE_PREFETCH=10)
    queue = begin(app, broker, handle)
    for _ in range(4):
        broker.send(b"{}")
    going.wait(5)
    threading.Timer(0.2, may_end.set).start()
    assert app.lifecycle.drain(Deadline(5)) == []
    until(lambda: broker.count(queue) == 3)
    assert app.pulse.check()["consumers"][queue]["handled"] == 1


def test_a_handler_that_does_not_end_is_told_of(app: Service, broker: Broker) -> None:
    """Draining waits until its deadline and not longer; the message goes to another."""
    going, may_end = threading.Event(), threading.Event()
    queue = begin(app, broker, lambda *_: (going.set(), may_end.wait(5)))
    broker.send(b"{}")
    going.wait(5)
    [failure] = app.lifecycle.drain(Deadline(0.2))
    until(lambda: broker.count(queue) == 1)
    may_end.set()
    assert queue in str(failure) or "drain-pulse" in str(failure)


def test_a_lost_connection_is_made_anew(serve: MakePulse, broker: Broker) -> None:
    """The consumer comes back by itself, and the message in hand comes back too."""
    seen: list[int] = []
    with forwarder(broker.url) as way:

        def handle(_: Any, message: Message) -> None:
            seen.append(message.deliveries)
            if len(seen) == 1:
                way.cut()

        app = serve(PULSE_URL=way.url)
        queue = begin(app, broker, handle)
        broker.send(b"{}")
        until(lambda: app.pulse._consumers[0].handled == 2)
        app.close()
    assert seen == [1, 2]
    assert broker.count(queue) == 0


def test_a_deleted_queue_is_made_anew(app: Service, broker: Broker) -> None:
    """The broker says that it is gone, and the consumer declares it again."""
    seen: list[Any] = []
    queue = begin(app, broker, lambda body, _: seen.append(body))
    broker.channel.queue_delete(queue)
    until(lambda: not consuming(app)())
    until(consuming(app))
    broker.send(b"1")
    until(lambda: seen == [1])


def test_what_kills_its_process_is_given_up(
    app: Service, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that nobody has finished so many times is a dead letter, unseen."""
    monkeypatch.setattr("buttress.pulse.consumer.HOPELESS", 0)
    seen: list[Any] = []
    queue = begin(app, broker, lambda *it: seen.append(it))
    broker.send(b'"bomb"')
    assert broker.get(f"{queue}/dead").body == b'"bomb"'
    assert seen == []


def test_what_another_process_died_of_is_counted(app: Service, broker: Broker) -> None:
    """A consumer that has long been at it counts a delivery that somebody else did not settle."""
    going, may_end = threading.Event(), threading.Event()
    seen: list[tuple[Any, int]] = []

    def handle(body: Any, message: Message) -> None:
        seen.append((body, message.deliveries))
        going.set()
        may_end.wait(5)

    queue = begin(app, broker, handle)
    broker.send(b"1")
    going.wait(5)
    broker.send(b'"bomb"')
    until(lambda: broker.count(queue) == 1)
    broker.channel.basic_reject(broker.channel.basic_get(queue).delivery_tag, requeue=True)
    may_end.set()
    until(lambda: len(seen) == 2)
    assert seen == [(1, 1), ("bomb", 2)]


def test_a_message_for_several_queues_is_put_back_into_one(app: Service, broker: Broker) -> None:
    """What its sender asked of the broker is not asked again for a copy."""
    queue = begin(app, broker, lambda *_: False)
    broker.send(b"{}", application_headers={"CC": [f"{queue}/dead"]}, expiration="60000")
    dead = broker.get(f"{queue}/dead")
    assert (dead.headers["X-Deliveries"], "expiration" in dead.properties) == (5, False)
    assert broker.count(f"{queue}/dead") == 0
