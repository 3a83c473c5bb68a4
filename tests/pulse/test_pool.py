"""The pool: few links, used again, and none that is doubtful."""

from __future__ import annotations

from typing import Any

import pytest

from buttress import LifecycleError
from buttress.lifecycle import Deadline
from buttress.pulse import pool as module
from buttress.pulse.pool import Pool


class Thing:
    """Stand for a link, and remember how it ended."""

    def __init__(self, _seconds: float) -> None:
        self.ended = ""

    def close(self) -> None:
        """End in order."""
        self.ended = "closed"

    def abandon(self) -> None:
        """End at once."""
        self.ended = "abandoned"


def pool(size: int = 2) -> Any:
    """Make a pool of such links."""
    make: Any = Thing
    return Pool(make, size)


SOON = Deadline(60)


def test_a_link_is_used_again() -> None:
    """What was given back is taken first."""
    it = pool()
    first = it.take(SOON)
    it.give(first)
    assert it.take(SOON) is first


def test_there_are_so_many_links_and_no_more() -> None:
    """Who finds all in use waits, and is told which setting it is."""
    it = pool()
    taken = [it.take(SOON), it.take(SOON)]
    with pytest.raises(TimeoutError, match="PULSE_CONNECTIONS"):
        it.take(Deadline(0.01))
    it.give(taken[0])
    assert it.take(Deadline(0.01)) is taken[0]


def test_a_link_that_failed_takes_the_resting_ones_with_it() -> None:
    """They are as old as it is, and the next one is new."""
    it = pool()
    failed, resting = it.take(SOON), it.take(SOON)
    it.give(resting)
    it.drop(failed)
    assert [failed.ended, resting.ended] == ["abandoned", "abandoned"]
    assert it.take(SOON) not in (failed, resting)


def test_a_link_that_rested_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something in between may have forgotten the connection."""
    it = pool()
    old = it.take(SOON)
    it.give(old)
    monkeypatch.setattr(module, "LONGEST_REST", 0)
    assert it.take(SOON) is not old
    assert old.ended == "abandoned"


def test_a_failure_to_connect_costs_no_place() -> None:
    """Ten failures later, there are as many places as before."""

    def fail(_: float) -> Any:
        raise OSError("refused")

    it = Pool(fail, 1)
    for _ in range(10):
        with pytest.raises(OSError, match="refused"):
            it.take(Deadline(0))


def test_after_a_fork_the_parents_links_are_left_alone() -> None:
    """They are not used, not ended, and count for nothing."""
    it = pool()
    resting, used = it.take(SOON), it.take(SOON)
    it.give(resting)
    it.forget()
    assert {it.take(Deadline(0)), it.take(Deadline(0))}.isdisjoint({resting, used})
    assert resting.ended == used.ended == ""


def test_a_closed_pool_closes_what_comes_back() -> None:
    """Nothing stays open, and nothing new is lent."""
    it = pool()
    used, resting = it.take(SOON), it.take(SOON)
    it.give(resting)
    it.close()
    it.give(used)
    assert [used.ended, resting.ended] == ["closed", "closed"]
    with pytest.raises(LifecycleError, match="closed"):
        it.take(SOON)
