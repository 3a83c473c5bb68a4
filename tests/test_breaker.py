"""When a server is left alone, and what the log says of it."""

from __future__ import annotations

import logging

import pytest

from buttress.breaker import FIRST, LONGEST, Breaker, LeftAlone
from buttress.testing.contracts.cache import at_once


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Server:
    """A server that answers, or fails with an error; it counts how often it is asked."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    def __call__(self, word: str = "snow") -> str:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return word


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock()


@pytest.fixture
def server() -> Server:
    """Give a server that works."""
    return Server()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """Give a breaker that is closed."""
    logger = logging.getLogger("buttress.test")
    return Breaker("the server", "going on without", (OSError,), logger, clock)


def fail(breaker: Breaker, server: Server) -> None:
    """Let the server fail from now on, and the breaker learn of it."""
    server.error = OSError("no route")
    with pytest.raises(OSError, match="no route"):
        breaker.call(server)


def test_a_working_server_is_asked(breaker: Breaker, server: Server) -> None:
    """Its answer is given, and arguments reach it."""
    assert [breaker.call(server), breaker.call(server, word="ice")] == ["snow", "ice"]
    assert (breaker.is_open, breaker.state) == (False, "closed")


def test_a_failure_opens_it(breaker: Breaker, server: Server, clock: Clock) -> None:
    """For at least half of the first pause nothing goes to the server."""
    fail(breaker, server)
    clock.now += FIRST / 2 - 0.01
    with pytest.raises(LeftAlone, match=r"the server is left alone for another \d") as caught:
        breaker.call(server)
    assert 0 < caught.value.left <= FIRST / 2 + 0.01
    assert (breaker.is_open, breaker.state, server.asked) == (True, "open", 1)


def test_errors_of_the_caller_say_nothing(breaker: Breaker, server: Server, clock: Clock) -> None:
    """They open nothing; in place of a probe they decide nothing, and another comes later."""
    server.error = TypeError()
    with pytest.raises(TypeError):
        breaker.call(server)
    assert breaker.state == "closed"
    fail(breaker, server)
    server.error = TypeError()
    for _ in range(2):
        clock.now += LONGEST
        with pytest.raises(TypeError):
            breaker.call(server)
    assert breaker.state == "open"


def test_one_looks_after_the_pause(breaker: Breaker, server: Server, clock: Clock) -> None:
    """Of many one looks whether the server works again; the others stay away meanwhile."""
    fail(breaker, server)
    clock.now += FIRST
    server.error = None

    def look() -> str:
        found = at_once(19, lambda: breaker.call(server))
        assert {type(it) for it in found} == {LeftAlone}
        return server()

    assert breaker.call(look) == "snow"
    assert (breaker.state, server.asked) == ("closed", 2)


def test_a_pause_begins_when_the_look_has_failed(
    breaker: Breaker, server: Server, clock: Clock
) -> None:
    """However long a server takes to fail, nobody looks at once afterwards."""
    fail(breaker, server)
    clock.now += FIRST

    def hang() -> None:
        clock.now += LONGEST - 0.1
        raise TimeoutError

    with pytest.raises(TimeoutError):
        breaker.call(hang)
    clock.now += FIRST / 2
    with pytest.raises(LeftAlone):
        breaker.call(server)


def test_the_pauses_grow(breaker: Breaker, server: Server, clock: Clock) -> None:
    """A server that stays away is tried less often, but at least after the longest pause."""
    fail(breaker, server)
    for _ in range(1000):
        clock.now += 0.1
        with pytest.raises((LeftAlone, OSError)):
            breaker.call(server)
    assert 100 / LONGEST - 1 <= server.asked <= 100 / (LONGEST / 2) + 3


def test_an_answer_closes_it(breaker: Breaker, server: Server, clock: Clock) -> None:
    """Afterwards everything goes to the server, and a new incident begins with a short pause."""
    for _ in range(5):
        fail(breaker, server)
        clock.now += LONGEST
    server.error = None
    assert [breaker.call(server), breaker.call(server), breaker.state] == ["snow", "snow", "closed"]
    fail(breaker, server)
    clock.now += FIRST
    server.error = None
    assert breaker.call(server) == "snow"


def test_an_answer_that_was_on_its_way_ends_nothing(breaker: Breaker, server: Server) -> None:
    """What was asked before the incident began says nothing of its end."""

    def answer() -> str:
        fail(breaker, server)
        return "late"

    assert (breaker.call(answer), breaker.state) == ("late", "open")


def test_a_failure_that_was_on_its_way_prolongs_nothing(
    breaker: Breaker, server: Server, clock: Clock
) -> None:
    """However many wait for a server that hangs, the pause counts from the first."""

    def hang() -> None:
        fail(breaker, server)
        clock.now += FIRST
        raise TimeoutError

    with pytest.raises(TimeoutError):
        breaker.call(hang)
    server.error = None
    assert breaker.call(server) == "snow"


def test_a_probe_asks_at_any_time(breaker: Breaker, server: Server) -> None:
    """The heartbeat may find first that a server works again, or no longer."""
    server.error = OSError()
    with pytest.raises(OSError):  # noqa: PT011  # which one is clear
        breaker.probe(server)
    assert breaker.state == "open"
    server.error = None
    assert (breaker.probe(server), breaker.state) == ("snow", "closed")


def test_an_incident_is_logged_twice(
    breaker: Breaker, server: Server, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Once when it begins and once when it ends, however many calls fail."""
    caplog.set_level("INFO", "buttress.test")
    server.error = OSError("no route")
    at_once(20, lambda: breaker.probe(server))
    clock.now += LONGEST
    fail(breaker, server)
    server.error = None
    at_once(20, lambda: breaker.probe(server))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "the server does not work; going on without: OSError: no route"),
        ("INFO", "the server works again"),
    ]
