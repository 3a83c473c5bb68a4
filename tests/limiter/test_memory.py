from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits import parse
from limits.strategies import STRATEGIES

from buttress.limiter.memory import MemoryStorage


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 120_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock that begins with a minute."""
    return Clock()


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_limit_holds_in_its_window(clock: Clock, strategy: str) -> None:
    """Of three a minute, the fourth is refused; long afterwards there are three again."""
    limiter = STRATEGIES[strategy](MemoryStorage(clock=clock))
    three = parse("3/minute")
    assert [limiter.hit(three, "client") for _ in range(4)] == [True, True, True, False]
    assert limiter.hit(three, "another")
    clock.now += 121
    assert [limiter.hit(three, "client") for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_cost_and_test(clock: Clock, strategy: str) -> None:
    """A request may cost more than one; looking costs nothing; clearing forgets."""
    limiter = STRATEGIES[strategy](MemoryStorage(clock=clock))
    three = parse("3/minute")
    assert limiter.hit(three, "client", cost=2)
    assert limiter.test(three, "client")
    assert not limiter.test(three, "client", cost=2)
    assert limiter.get_window_stats(three, "client").remaining == 1
    assert not limiter.hit(three, "client", cost=2) or strategy == "fixed-window"
    if strategy != "sliding-window-counter":  # that one clears the window of today's clock
        limiter.clear(three, "client")
        assert limiter.get_window_stats(three, "client").remaining == 3


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_clock_that_is_put_back(clock: Clock, strategy: str) -> None:
    """Nobody waits for the time that a clock was wrong by."""
    limiter = STRATEGIES[strategy](MemoryStorage(clock=clock))
    three = parse("3/minute")
    clock.now += 86_400
    assert limiter.hit(three, "client", cost=3)
    clock.now -= 86_400
    assert [limiter.hit(three, "client") for _ in range(4)] == [True, True, True, False]


def test_fixed_window_begins_with_the_first(clock: Clock) -> None:
    """A fixed window ends a minute after its first request, not after its last."""
    storage = MemoryStorage(clock=clock)
    assert storage.get_expiry("client") == clock.now
    storage.incr("client", 60)
    clock.now += 59
    assert storage.incr("client", 60) == 2
    assert storage.get_expiry("client") == clock.now + 1
    clock.now += 1
    assert storage.get("client") == 0
    assert storage.incr("client", 60) == 1


def test_moving_window_has_no_edge(clock: Clock) -> None:
    """A moving window counts the last minute, wherever that begins."""
    storage = MemoryStorage(clock=clock)
    for _ in range(2):
        assert storage.acquire_entry("client", 2, 60)
        clock.now += 40
    assert storage.get_moving_window("client", 2, 60) == (clock.now - 40, 1)
    assert storage.acquire_entry("client", 2, 60)
    assert not storage.acquire_entry("client", 2, 60)


def test_sliding_window_weighs_the_one_before(clock: Clock) -> None:
    """Halfway through a window, half of the one before counts."""
    storage = MemoryStorage(clock=clock)
    assert all(storage.acquire_sliding_window_entry("client", 4, 60) for _ in range(4))
    clock.now += 90
    assert storage.get_sliding_window("client", 60) == (4, 30.0, 0, 90.0)
    granted = [storage.acquire_sliding_window_entry("client", 4, 60) for _ in range(3)]
    assert granted == [True, True, False]
    storage.clear_sliding_window("client", 60)
    assert storage.get_sliding_window("client", 60)[::2] == (0, 0)


def test_what_is_over_is_forgotten(clock: Clock) -> None:
    """Counts whose window is over take no memory once others come."""
    storage = MemoryStorage(clock=clock)
    for number in range(100):
        storage.incr(f"fixed {number}", 60)
        storage.acquire_entry(f"moving {number}", 5, 60)
    clock.now += 30
    storage.acquire_entry("moving 0", 5, 60)
    clock.now += 40
    storage.incr("new", 60)
    assert storage.get_moving_window("moving 0", 5, 60)[1] == 1
    assert storage.reset() == 2


def test_clearing_takes_no_memory(clock: Clock) -> None:
    """A count that is cleared again and again is kept once."""
    storage = MemoryStorage(clock=clock)
    for _ in range(100):
        storage.incr("client", 60)
        storage.clear("client")
    assert (storage.get("client"), len(storage._ends)) == (0, 1)


def test_memory_has_a_bound(clock: Clock) -> None:
    """Of too many clients those are forgotten whose window ends soonest."""
    storage = MemoryStorage(clock=clock, most=10)
    storage.incr("long", 3600)
    for number in range(1000):
        storage.incr(f"client {number}", 60)
        clock.now += 0.001
    assert storage.get("long") == 1
    assert storage.get("client 999") == 1
    assert storage.get("client 0") == 0
    assert storage.reset() == 10


def test_no_count_is_lost(clock: Clock) -> None:
    """Threads that count at the same time lose nothing, and none is started."""
    before = threading.active_count()
    storage = MemoryStorage(clock=clock)
    storage.incr("client", 60)
    assert threading.active_count() == before
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: [storage.incr("client", 60) for _ in range(500)], range(8)))
    assert storage.get("client") == 4001
