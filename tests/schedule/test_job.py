"""Jobs and their policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from buttress import SetupError
from buttress.schedule.job import Job, Tick
from buttress.schedule.moment import SECOND
from buttress.schedule.trigger import Every


def job(function: Any = print, **options: Any) -> Job:
    """Make a job that is due every second."""
    given = {"misfire": "once", "overlap": "skip", "grace": 2.5, "catch_up": 4, **options}
    return Job("snow", "shop:snow", function, Every(1), **given)


@pytest.mark.parametrize(
    ("misfire", "expected"), [("once", [100]), ("all", [97, 98, 99, 100]), ("skip", [99, 100])]
)
def test_policies_for_late_ticks(misfire: str, expected: list[int]) -> None:
    """Of many missed ticks the last is run, or the last few, or those that are not too late."""
    due = job(misfire=misfire).due(10 * SECOND, 100 * SECOND + SECOND // 2)
    assert [tick / SECOND for tick in due] == expected


@pytest.mark.parametrize("misfire", ["once", "all", "skip"])
def test_one_tick_in_time(misfire: str) -> None:
    """A tick that nobody was late for is run by every policy, and once."""
    made = job(misfire=misfire)
    assert made.due(99 * SECOND, 100 * SECOND) == [100 * SECOND]
    assert made.due(100 * SECOND, 100 * SECOND + 1) == []


class Resort:
    """Something that can be called."""

    def __call__(self, tick: Tick) -> Tick:
        return tick

    def method(self) -> None:
        """Take nothing."""


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda: None, False),
        (lambda tick: None, True),
        (lambda when: None, True),
        (lambda tick=None: None, True),
        (lambda count=1: None, False),
        (lambda *rest, **others: None, False),
        (Resort(), True),
        (Resort().method, False),
    ],
)
def test_who_is_told_the_tick(function: Callable[..., Any], expected: bool) -> None:
    """A function that takes an argument is given the tick; others are not."""
    assert job(function).takes_tick is expected
    job(function).call(Tick("snow", datetime.now(UTC), 0.0))


async def in_a_loop() -> None:
    """Wait for nothing."""


def in_steps() -> Iterator[None]:
    """Do nothing, twice."""
    yield
    yield


@pytest.mark.parametrize(
    ("function", "options", "problem"),
    [
        (lambda one, two: None, {}, "one argument, the tick, or none"),
        (lambda *, one: None, {}, "one argument, the tick, or none"),
        (in_a_loop, {}, "async"),
        (in_steps, {}, "yield"),
        ("snow", {}, "no function"),
        (print, {"misfire": "twice"}, "misfire='twice' is none of 'once', 'all', 'skip'"),
        (print, {"overlap": "maybe"}, "overlap='maybe' is none of 'skip', 'wait', 'allow'"),
        (print, {"grace": 0}, "more than 0 seconds"),
        (print, {"grace": float("inf")}, "up to a century"),
    ],
)
def test_what_is_no_job(function: Any, options: dict[str, Any], problem: str) -> None:
    """A mistake is named, with the job."""
    with pytest.raises(SetupError, match=f"job 'snow': .*{problem}"):
        job(function, **options)
