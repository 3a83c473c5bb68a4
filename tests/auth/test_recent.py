"""What is remembered for a while."""

from __future__ import annotations

import pytest

from buttress.auth.recent import Recent
from tests.auth.test_door import Clock


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock()


@pytest.fixture
def recent(clock: Clock) -> Recent[str, str]:
    """Give a memory of five seconds for three values."""
    return Recent(3, 5, clock)


def test_for_so_long(recent: Recent[str, str], clock: Clock) -> None:
    """A value is remembered for its time."""
    recent.put("a", "1")
    clock.now += 4.9
    assert recent.get("a") == "1"
    clock.now += 0.1
    assert recent.get("a") is None


def test_use_makes_it_no_longer(recent: Recent[str, str], clock: Clock) -> None:
    """However often a value is used, it is asked for anew after its time."""
    answers = iter("123")
    found = []
    for _ in range(5):
        found.append(recent.of("a", lambda: next(answers)))
        clock.now += 2
    assert found == ["1", "1", "1", "2", "2"]


def test_forgotten_while_somebody_asks(recent: Recent[str, str]) -> None:
    """An answer may be older than what was forgotten meanwhile, so it is not kept."""

    def ask() -> str:
        recent.forget("a")
        return "old"

    assert (recent.of("a", ask), recent.get("a")) == ("old", None)


def test_no_answer_is_not_kept(recent: Recent[str, str]) -> None:
    """Where there is no answer the next one asks again."""
    assert (recent.of("a", lambda: None), recent.of("a", lambda: "1")) == (None, "1")


def test_so_many_at_most(recent: Recent[str, str]) -> None:
    """The memory does not grow beyond its size."""
    for key in "abcd":
        recent.put(key, key)
    assert [recent.get(key) for key in "abcd"] == [None, "b", "c", "d"]


def test_a_clock_that_goes_back(recent: Recent[str, str], clock: Clock) -> None:
    """A clock that was set back makes nothing last longer."""
    recent.put("a", "1")
    clock.now -= 1000
    assert recent.get("a") is None


def test_nothing_at_all() -> None:
    """Nothing is remembered for no time."""
    recent: Recent[str, str] = Recent(3, 0)
    recent.put("a", "1")
    assert recent.get("a") is None
