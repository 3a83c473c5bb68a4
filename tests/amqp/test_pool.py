"""The pool: few links, used again, and none that is doubtful."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from buttress import LifecycleError
from buttress.amqp import pool as module
from buttress.amqp.pool import Pool
from buttress.lifecycle import Deadline


class Thing:
    """Stand for a link, and remember how it ended."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ended = ""

    def close(self) -> None:
        """End in order."""
        self.ended = "closed"

    def abandon(self) -> None:
        """End at once."""
        self.ended = "abandoned"


def busy() -> TimeoutError:
    """Make what is raised where all links are in use."""
    return TimeoutError("all are in use")


def pool(size: int = 2) -> Pool[Thing]:
    """Make a pool of such links."""
    return Pool(Thing, size, busy)


SOON = Deadline(3600)


def rest(it: Pool[Thing], count: int = 1, until: Deadline = SOON) -> list[Thing]:
    """Have so many links lent at a time, which rest from then on; the first is the next one."""
    with ExitStack() as stack:
        return [stack.enter_context(it.lend(until)) for _ in range(count)]


def test_a_link_is_used_again() -> None:
    """What came back is lent first."""
    it = pool()
    [first] = rest(it)
    with it.lend(SOON) as again:
        assert again is first
        assert it.links() == []
    assert it.links() == [first]


def test_there_are_so_many_links_and_no_more() -> None:
    """Who finds all in use waits, and is told."""
    it = pool()
    with it.lend(SOON):
        with it.lend(SOON) as second, pytest.raises(TimeoutError, match="in use"):
            rest(it, until=Deadline(0.01))
        assert rest(it, until=Deadline(0.01)) == [second]


def test_a_link_that_failed_takes_the_resting_ones_with_it() -> None:
    """They are as old as it is, and the next one is new."""
    it = pool()
    failed, resting = rest(it, 2)
    with pytest.raises(OSError, match="reset"), it.lend(SOON):
        raise OSError("reset")
    assert [failed.ended, resting.ended] == ["abandoned", "abandoned"]
    assert rest(it)[0] not in (failed, resting)


def test_a_link_that_rested_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something in between may have forgotten the connection."""
    it = pool()
    old = rest(it, 2)
    monkeypatch.setattr(module, "LONGEST_REST", 0)
    assert rest(it)[0] not in old
    assert [link.ended for link in old] == ["abandoned", "abandoned"]


def test_a_failure_to_connect_costs_no_place() -> None:
    """Ten failures later, there are as many places as before."""

    def fail(_: float) -> Thing:
        raise OSError("refused")

    it = Pool(fail, 1, busy)
    for _ in range(10):
        with pytest.raises(OSError, match="refused"):
            rest(it)


def test_a_link_gets_what_is_left_of_the_time() -> None:
    """Who waits for so long waits for a connection no longer."""
    [link] = rest(pool(), until=Deadline(60))
    assert 59 < link.seconds <= 60


def test_after_a_fork_the_parents_links_are_left_alone() -> None:
    """They are not used, not ended, and count for nothing."""
    it = pool()
    with it.lend(SOON) as used:
        [resting] = rest(it)
        it.forget()
        assert {*rest(it, 2)}.isdisjoint({resting, used})
    assert resting.ended == used.ended == ""


def test_a_closed_pool_closes_what_comes_back() -> None:
    """Nothing stays open, and nothing new is lent."""
    it = pool()
    with it.lend(SOON) as used:
        [resting] = rest(it)
        it.close()
    assert [used.ended, resting.ended] == ["closed", "closed"]
    with pytest.raises(LifecycleError, match="closed"):
        rest(it)
