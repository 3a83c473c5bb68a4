"""Consumers: supervised, isolated, drained."""

from __future__ import annotations

import threading
import time

import pytest

from buttress import ExtensionError, LifecycleError, Service
from buttress.errors import MessageError, Reject
from buttress.lifecycle import Deadline
from buttress.queues import Message
from buttress.web import current_request_id
from tests.queues.conftest import EXTENSIONS, QUICK, eventually
from tests.services import Make


@pytest.fixture(params=["memory:", "sql:"])
def app(request: pytest.FixtureRequest, make: Make) -> Service:
    """Give a service with queues in memory, and in a database."""
    return make(extensions=EXTENSIONS, QUEUES_URL=request.param, **QUICK)


def test_each_message_is_handled(app: Service) -> None:
    """A consumer gets what is sent, in an application context, and deletes it."""
    found: list[tuple[str, str]] = []

    @app.queues.consumer("snow")
    def measure(message: Message) -> None:
        from flask import current_app

        found.append((current_app.name, message.body))

    app.start()
    for body in ("a", "b"):
        app.queues.send("snow", body)
    assert eventually(lambda: len(found) == 2)
    assert found == [("shop", "a"), ("shop", "b")]
    assert eventually(lambda: app.queues.broker.depth("snow")[:4] == (0, 0, 0, 0))


def test_json(app: Service) -> None:
    """What is no text is sent as JSON, and read back with its type."""
    found: list[object] = []
    app.queues.consumer("snow")(lambda message: found.append(message.json(dict[str, int])))
    app.start()
    app.queues.send("snow", {"cm": 30})
    assert eventually(lambda: found == [{"cm": 30}])


def test_no_json(app: Service) -> None:
    """A message that is not the JSON that was asked for is a dead letter at once."""
    app.queues.consumer("snow")(lambda message: message.json(dict[str, int]))
    app.start()
    for body in ("no JSON", '{"cm": "deep"}'):
        app.queues.send("snow", body)
    assert eventually(lambda: app.queues.broker.depth("snow").dead == 2)
    reasons = [it.reason for it in app.queues.broker.peek("snow", limit=9, dead=True)]
    assert ["not the JSON" in str(reason) for reason in reasons] == [True, True]


def test_one_of_ten_fails(app: Service) -> None:
    """A message that fails does not keep the others of its batch from being done."""
    found: list[str] = []

    @app.queues.consumer("snow", max_deliveries=2)
    def measure(message: Message) -> None:
        if message.body == "4":
            raise RuntimeError("no snow")
        found.append(message.body)

    app.queues.broker.declare("snow") if app.queues.broker.name == "memory" else None
    app.start()
    for number in range(10):
        app.queues.send("snow", str(number))
    assert eventually(lambda: app.queues.broker.depth("snow")[:4] == (0, 0, 0, 1))
    assert sorted(found) == [str(number) for number in range(10) if number != 4]


def test_poison_after_exactly_so_many(app: Service) -> None:
    """A message that always fails is delivered so many times, and then is a dead letter."""
    counts: list[int] = []

    @app.queues.consumer("snow", max_deliveries=3)
    def measure(message: Message) -> None:
        counts.append(message.count)
        raise RuntimeError("never any snow")

    app.start()
    app.queues.send("snow", "poison")
    assert eventually(lambda: app.queues.broker.depth("snow").dead == 1)
    assert counts == [1, 2, 3]
    reason = app.queues.broker.peek("snow", limit=1, dead=True)[0].reason
    assert reason == "RuntimeError: never any snow (delivery 3)"


def test_false_leaves_it(app: Service) -> None:
    """A handler that returns ``False`` gets the message again."""
    counts: list[int] = []

    @app.queues.consumer("snow")
    def measure(message: Message) -> bool:
        counts.append(message.count)
        return message.count == 2

    app.start()
    app.queues.send("snow", "x")
    assert eventually(lambda: app.queues.broker.depth("snow")[:4] == (0, 0, 0, 0) and bool(counts))
    assert counts == [1, 2]


def test_reject(app: Service) -> None:
    """A handler may send a message to the dead letters by itself, with its reason."""

    @app.queues.consumer("snow")
    def measure(message: Message) -> None:
        raise Reject("it is rain")

    app.start()
    app.queues.send("snow", "x")
    assert eventually(lambda: app.queues.broker.depth("snow").dead == 1)
    assert app.queues.broker.peek("snow", limit=1, dead=True)[0].reason == "it is rain"


def test_exit_in_a_handler(app: Service) -> None:
    """A handler that calls ``exit()`` ends neither the process nor its consumer."""
    found: list[str] = []

    @app.queues.consumer("snow", max_deliveries=1)
    def measure(message: Message) -> None:
        if message.body == "exit":
            raise SystemExit(3)
        found.append(message.body)

    app.start()
    app.queues.send("snow", "exit")
    app.queues.send("snow", "after")
    assert eventually(lambda: found == ["after"])


def test_a_handler_longer_than_the_visibility(app: Service) -> None:
    """While a handler runs nobody else gets its message."""
    counts: list[int] = []

    @app.queues.consumer("snow", visibility=1.0)
    def measure(message: Message) -> None:
        counts.append(message.count)
        time.sleep(2.5)

    app.start()
    app.queues.send("snow", "x")
    assert eventually(lambda: bool(counts))
    other = app.queues.broker.receive("snow", limit=1, wait=2.3, visibility=1.0)
    assert (other, counts) == ([], [1])
    assert eventually(lambda: app.queues.broker.depth("snow")[:4] == (0, 0, 0, 0))


def test_side_by_side(app: Service) -> None:
    """With ``parallel`` so many messages are handled at the same time, and no more."""
    running, most, lock = 0, 0, threading.Lock()

    @app.queues.consumer("snow", parallel=3)
    def measure(message: Message) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    app.start()
    for _ in range(12):
        app.queues.send("snow", "x")
    assert eventually(lambda: app.queues.consumers[0].counts.handled == 12)
    assert most == 3


def test_a_slow_message_leaves_the_other_threads_free(app: Service) -> None:
    """While one message takes long, those sent later are fetched, handled and deleted."""
    found: list[str] = []
    free = threading.Event()

    @app.queues.consumer("snow", parallel=2)
    def measure(message: Message) -> None:
        if message.body == "slow":
            free.wait(10)
        found.append(message.body)

    app.start()
    app.queues.send("snow", "slow")
    assert eventually(lambda: app.queues.broker.depth("snow").in_flight == 1)
    for body in "abc":
        app.queues.send("snow", body)
    others_done = eventually(lambda: app.queues.broker.depth("snow")[:3] == (0, 0, 1), 5)
    free.set()
    assert (others_done, sorted(found[:3])) == (True, ["a", "b", "c"])
    assert eventually(lambda: app.queues.broker.depth("snow")[:3] == (0, 0, 0))


def test_the_request_s_id_goes_along(app: Service) -> None:
    """The id of the request that sends is that of the work that it causes."""
    found: list[str | None] = []
    app.queues.consumer("snow")(lambda message: found.append(current_request_id()))

    @app.get("/")
    def send() -> str:
        return app.queues.send("snow", "x").id

    app.start()
    app.test_client().get("/", headers={"X-Request-Id": "abc-1"})
    assert eventually(lambda: found == ["abc-1"])


def test_drain_finishes_and_gives_back(app: Service) -> None:
    """Draining finishes the message that is being handled; those behind it are free for others."""
    found: list[str] = []
    begun = threading.Event()

    @app.queues.consumer("snow")
    def measure(message: Message) -> None:
        begun.set()
        time.sleep(0.3)
        found.append(message.body)

    if app.queues.broker.name == "sql":
        app.db.migrations.upgrade()
    app.queues.broker.declare("snow")
    for number in range(5):
        app.queues.send("snow", str(number))
    app.start()
    assert begun.wait(5)
    assert app.lifecycle.drain(Deadline(5)) == []
    assert found == ["0"]
    assert app.queues.broker.depth("snow")[:3] == (4, 0, 0)


def test_the_heartbeat_tells(app: Service) -> None:
    """The heartbeat shows the progress and the lag of each consumer."""
    app.queues.consumer("snow")(lambda message: None)
    app.start()
    app.queues.send("snow", "x")
    assert eventually(lambda: app.queues.consumers[0].counts.handled == 1)
    shown = app.test_client().get("/__heartbeat__").get_json()["checks"]["queues"]
    told = shown["details"]["snow"]
    assert (shown["status"], told["state"], told["handled"]) == ("ok", "running", 1)
    assert told["lag"]["ready"] == 0


def test_embedded_services_do_not_consume(app: Service) -> None:
    """In a container that is not ours nothing is consumed, unless it is asked for."""
    app.queues.consumer("snow")(lambda message: None)
    app.test_client().get("/")
    assert app.queues.consumers == []


def test_marked_functions(make: Make) -> None:
    """Functions that discovery finds marked are consumers."""
    from buttress.declare import Mark, Marked

    app = make(extensions=EXTENSIONS, **QUICK)
    found: list[str] = []
    arguments = {"queue": "snow", "parallel": 2}
    app.marked.append(Marked(lambda it: found.append(it.body), Mark("consumer", arguments)))
    app.start()
    app.queues.send("snow", "x")
    assert eventually(lambda: found == ["x"])


def test_a_mark_with_an_unknown_option(make: Make) -> None:
    """An option that there is not stops the start, and names the function."""
    from buttress.declare import Mark, Marked

    app = make(extensions=EXTENSIONS)
    mark = Mark("consumer", {"queue": "snow", "paralel": 2})
    app.marked.append(Marked(test_a_mark_with_an_unknown_option, mark))
    with pytest.raises(ExtensionError, match="test_a_mark_with_an_unknown_option.*paralel"):
        app.start()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"parallel": 0}, "parallel and prefetch must be at least 1"),
        ({"visibility": 0.5}, "visibility and max_deliveries must be at least 1"),
        ({"exclusive": True, "parallel": 2}, "exclusive=True handles one at a time"),
    ],
)
def test_plans_that_make_no_sense(
    sqlite: Service, options: dict[str, float], sentence: str
) -> None:
    """Options that make no sense are refused in a sentence."""
    with pytest.raises(MessageError, match=sentence):
        sqlite.queues.consumer("snow", **options)(print)  # type: ignore[arg-type]  # on purpose


def test_no_function(sqlite: Service) -> None:
    """What cannot be called is no handler."""
    with pytest.raises(MessageError, match="'print' cannot be called"):
        sqlite.queues.consumer("snow")("print")  # type: ignore[type-var]  # on purpose


def test_two_consumers_of_one_queue(sqlite: Service) -> None:
    """A queue has one consumer in a service."""
    sqlite.queues.consumer("snow")(print)
    with pytest.raises(MessageError, match="has two consumers"):
        sqlite.queues.consumer("snow")(print)


def test_too_late(sqlite: Service) -> None:
    """A consumer that comes after the start is refused."""
    sqlite.start()
    with pytest.raises(LifecycleError, match="add consumers before it serves"):
        sqlite.queues.consumer("snow")(print)


def test_done_messages_behind_a_slow_one(app: Service) -> None:
    """What is done stays hidden until it is deleted, however long its batch takes."""
    counts: list[tuple[str, int]] = []

    @app.queues.consumer("snow", visibility=1.0)
    def measure(message: Message) -> None:
        counts.append((message.body, message.count))
        if message.body == "slow":
            time.sleep(2.0)

    if app.queues.broker.name == "sql":
        app.db.migrations.upgrade()
    app.queues.broker.declare("snow")
    for body in ("fast", "slow"):
        app.queues.send("snow", body)
    app.start()
    assert eventually(lambda: len(counts) == 2)
    assert app.queues.broker.receive("snow", limit=1, wait=1.7, visibility=1.0) == []
    assert eventually(lambda: app.queues.broker.depth("snow")[:4] == (0, 0, 0, 0))
    assert counts == [("fast", 1), ("slow", 1)]
