from __future__ import annotations

from buttress.peers.budget import LEAST, WINDOW, Budget
from tests.peers.test_breaker import Clock


def retries(budget: Budget) -> int:
    """Retry until the budget is used up."""
    count = 0
    while budget.retry():
        count += 1
    return count


def test_least() -> None:
    """A few retries are allowed without many calls."""
    assert retries(Budget(0.2, Clock())) == LEAST


def test_share() -> None:
    """Of many calls, the share may be retries."""
    budget = Budget(0.2, Clock())
    for _ in range(100):
        budget.call()
    assert retries(budget) == 20


def test_window_slides() -> None:
    """What is longer ago than the window does not count, neither calls nor retries."""
    clock = Clock()
    budget = Budget(0.2, clock)
    for _ in range(100):
        budget.call()
    clock.now = WINDOW - 1
    within = retries(budget)
    clock.now = WINDOW
    assert (within, retries(budget)) == (20, 0)
    clock.now = 2 * WINDOW - 1
    assert retries(budget) == LEAST


def test_calls_of_every_second_count() -> None:
    """The calls of all seconds of the window are added up."""
    clock = Clock()
    budget = Budget(0.5, clock)
    for second in range(WINDOW):
        clock.now = second
        budget.call()
    assert retries(budget) == 5
