"""When a server is left alone, and what the log says of it."""

from __future__ import annotations

import pytest

from buttress.cache.breaker import FIRST, LONGEST, QUIET, Breaker
from buttress.testing.contracts.cache import at_once


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """Give a breaker that is closed."""
    return Breaker("here", clock)


def test_a_failure_opens_it(breaker: Breaker, clock: Clock) -> None:
    """For at least half of the first pause nothing goes to the server."""
    assert (breaker.is_open, breaker.state) == (False, "closed")
    breaker.failed(OSError())
    clock.now += FIRST / 2 - 0.01
    assert (breaker.is_open, breaker.state, breaker.may_try()) == (True, "open", False)


def test_one_tries_after_the_pause(breaker: Breaker, clock: Clock) -> None:
    """Of many one looks whether the server works again; the others stay away meanwhile."""
    breaker.failed(OSError())
    clock.now += FIRST
    assert sorted(at_once(20, breaker.may_try)) == [False] * 19 + [True]


def test_the_pauses_grow(breaker: Breaker, clock: Clock) -> None:
    """A server that stays away is tried less often, but at least after the longest pause."""
    breaker.failed(OSError())
    tried = []
    for _ in range(1000):
        clock.now += 0.1
        tried += [clock.now] if breaker.may_try() else []
    assert 100 / LONGEST - 1 <= len(tried) <= 100 / (LONGEST / 2) + 3


def test_a_success_closes_it(breaker: Breaker, clock: Clock) -> None:
    """Afterwards everything goes to the server, and a new incident begins with a short pause."""
    breaker.failed(OSError())
    for _ in range(5):
        clock.now += LONGEST
        assert breaker.may_try()
    breaker.succeeded()
    assert (breaker.is_open, breaker.may_try()) == (False, True)
    breaker.failed(OSError())
    clock.now += FIRST
    assert breaker.may_try()


def test_an_incident_is_logged_twice(
    breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Once when it begins and once when it ends, however many operations fail."""
    caplog.set_level("INFO", "buttress.cache")
    at_once(20, lambda: breaker.failed(OSError("no route")))
    clock.now += LONGEST
    breaker.failed(OSError("no route"))
    at_once(20, breaker.succeeded)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "the cache at here does not work; going on without: OSError: no route"),
        ("INFO", "the cache at here works again"),
    ]


def test_refusals_are_logged_once_a_minute(
    breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that refuses each operation does not fill the log, and is not left alone."""
    for _ in range(3):
        breaker.refused(OSError("full"))
    clock.now += QUIET
    breaker.refused(OSError("full"))
    assert [record.getMessage() for record in caplog.records] == [
        "the cache at here refuses an operation: OSError: full"
    ] * 2
    assert breaker.is_open is False
