from __future__ import annotations

import threading

import pytest

from buttress.peers.breaker import Breaker, CircuitOpen, State


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock, failures: int = 3) -> Breaker:
    return Breaker("piste", failures, 10.0, clock)


def fail(it: Breaker, times: int) -> None:
    for _ in range(times):
        it.leave(it.enter(), failed=True)


def opened(clock: Clock) -> Breaker:
    it = breaker(clock)
    fail(it, 3)
    return it


def test_stays_closed_below_the_limit() -> None:
    """Fewer failures than the limit change nothing."""
    it = breaker(Clock())
    fail(it, 2)
    assert (it.state, it.failures, it.enter()) == (State.CLOSED, 2, False)


def test_success_starts_the_count_anew() -> None:
    """Failures count only in a row."""
    it = breaker(Clock())
    fail(it, 2)
    it.leave(it.enter(), failed=False)
    fail(it, 2)
    assert it.state is State.CLOSED


def test_opens_at_the_limit() -> None:
    """At the limit no call passes any more; the error tells for how long."""
    clock = Clock()
    it = opened(clock)
    clock.now = 4
    with pytest.raises(CircuitOpen) as error:
        it.enter()
    assert (it.state, error.value.left) == (State.OPEN, 6)


def test_one_probe() -> None:
    """After the pause one call passes, and no other beside it."""
    clock = Clock()
    it = opened(clock)
    clock.now = 10
    assert (it.state, it.enter()) == (State.HALF_OPEN, True)
    with pytest.raises(CircuitOpen):
        it.enter()


def test_good_probe_closes() -> None:
    """A probe that succeeds closes the circuit."""
    clock = Clock()
    it = opened(clock)
    clock.now = 10
    it.leave(it.enter(), failed=False)
    assert (it.state, it.failures) == (State.CLOSED, 0)


def test_bad_probe_opens_again() -> None:
    """A probe that fails begins another pause."""
    clock = Clock()
    it = opened(clock)
    clock.now = 10
    it.leave(it.enter(), failed=True)
    assert (it.state, it.left()) == (State.OPEN, 10)


def test_probe_that_says_nothing() -> None:
    """After a probe that says nothing of the peer comes another one."""
    clock = Clock()
    it = opened(clock)
    clock.now = 10
    it.leave(it.enter(), failed=None)
    assert (it.state, it.enter()) == (State.HALF_OPEN, True)


def test_probe_that_takes_long() -> None:
    """A probe that takes longer than the pause does not keep the others out for ever."""
    clock = Clock()
    it = opened(clock)
    clock.now = 10
    slow = it.enter()
    clock.now = 20
    it.leave(it.enter(), failed=False)
    it.leave(slow, failed=True)
    assert (slow, it.state, it.failures) == (True, State.CLOSED, 1)


@pytest.mark.parametrize("failed", [True, False])
def test_latecomers_do_not_count(failed: bool) -> None:
    """A call that began before the circuit opened neither closes it nor prolongs the pause."""
    clock = Clock()
    it = breaker(clock)
    late = it.enter()
    fail(it, 3)
    clock.now = 5
    it.leave(late, failed=failed)
    assert (it.state, it.left(), it.failures) == (State.OPEN, 5, 3)


def test_one_probe_of_many_threads() -> None:
    """Of 50 threads that come at once exactly one is the probe."""
    clock = Clock()
    it, start, passed = opened(clock), threading.Barrier(50), []
    clock.now = 10

    def come() -> None:
        start.wait()
        try:
            passed.append(it.enter())
        except CircuitOpen:
            return

    threads = [threading.Thread(target=come) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed == [True]


def test_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Opening and closing are logged once each."""
    clock = Clock()
    caplog.set_level("INFO", "buttress.peers")
    it = opened(clock)
    clock.now = 10
    it.leave(it.enter(), failed=False)
    assert [record.getMessage() for record in caplog.records] == [
        "piste: 3 failures in a row: left alone for 10 s",
        "piste: answers again",
    ]
