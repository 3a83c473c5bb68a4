"""Nominal times: the same in every process."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.schedule.moment import SECOND, moment_of, time_of
from buttress.schedule.trigger import Cron, Every, Trigger

MOMENTS = st.integers(0, 4_000_000_000 * SECOND)


def times(trigger: Trigger, after: str, count: int) -> list[str]:
    """Give the next ticks after a time in UTC, as text."""
    moment = at(after)
    found = []
    for _ in range(count):
        moment = trigger.after(moment)
        found.append(f"{time_of(moment):%Y-%m-%d %H:%M}")
    return found


def at(text: str) -> int:
    """Read a time in UTC."""
    return moment_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


@settings(deadline=None, max_examples=50)
@given(st.floats(0.01, 1e7), st.floats(-1e7, 1e7), MOMENTS)
def test_every(seconds: float, offset: float, moment: int) -> None:
    """The next tick is later by a period at most, and the last tick before is found again."""
    every = Every(seconds, offset)
    tick = every.after(moment)
    assert 0 < tick - moment <= round(seconds * SECOND)
    assert every.between(moment, tick, 5) == [tick]
    assert every.between(moment, tick - 1, 5) == []


def test_multiples_since_1970() -> None:
    """Ticks are multiples of the period, moved by the offset."""
    assert times(Every(3600), "2026-01-01T10:20", 2) == ["2026-01-01 11:00", "2026-01-01 12:00"]
    assert times(Every(86400, 3600), "2026-01-01T10:20", 1) == ["2026-01-02 01:00"]
    assert times(Every(86400, -3600), "2026-01-01T10:20", 1) == ["2026-01-01 23:00"]


@settings(deadline=None, max_examples=50)
@given(MOMENTS, st.integers(1, 10_000), st.integers(1, 50))
def test_the_last_of_many(begin: int, length: int, most: int) -> None:
    """Of many ticks the last are given, in order."""
    every = Every(1)
    ticks = every.between(begin, begin + length * SECOND, most)
    assert len(ticks) == min(most, length)
    assert all(b - a == SECOND for a, b in pairwise(ticks))
    assert every.after(ticks[-1]) > begin + length * SECOND >= ticks[-1]


@pytest.mark.parametrize("seconds", [0, -1, 0.001, float("nan"), float("inf"), 1e12])
def test_what_is_no_period(seconds: float) -> None:
    """A period that is too short, too long or no number is refused."""
    with pytest.raises(ValueError, match=r"give at least 0.01 seconds"):
        Every(seconds)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/20 * * * *", ["2026-01-01 10:40", "2026-01-01 11:00"]),
        ("0 8 * * 1-5", ["2026-01-02 08:00", "2026-01-05 08:00"]),
        ("0 0 * * 0", ["2026-01-04 00:00", "2026-01-11 00:00"]),
        ("0 0 13 * 5", ["2026-01-02 00:00", "2026-01-09 00:00"]),
        ("0 0 3 * 5", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("0 0 13 * *", ["2026-01-13 00:00", "2026-02-13 00:00"]),
        ("0 0 29 feb *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
    ],
)
def test_cron(expression: str, expected: list[str]) -> None:
    """Five fields mean what crontab(5) says, a day of the month or of the week included."""
    assert times(Cron(expression, "UTC"), "2026-01-01T10:20", 2) == expected


def test_a_tick_is_not_its_own_successor() -> None:
    """The next tick is later, also asked right at one or just before it."""
    cron = Cron("20 * * * *", "UTC")
    tick = at("2026-01-01T10:20")
    assert [cron.after(tick - 1), cron.after(tick)] == [tick, tick + 3600 * SECOND]


def test_summer_time() -> None:
    """A time that a change of the clock leaves out or repeats comes once."""
    nightly = Cron("30 2 * * *", "Europe/Paris")
    spring = ["2026-03-28 01:30", "2026-03-29 01:30", "2026-03-30 00:30"]
    assert times(nightly, "2026-03-27T12:00", 3) == spring
    autumn = ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"]
    assert times(nightly, "2026-10-23T12:00", 3) == autumn


def test_on_through_summer_time() -> None:
    """What runs all the time also runs in an hour that comes twice."""
    found = times(Cron("*/30 * * * *", "Europe/Paris"), "2026-10-24T23:45", 4)
    assert [it[-5:] for it in found] == ["00:00", "00:30", "01:00", "01:30"]


#: Places that change the clock: by an hour, at midnight, by half an hour, once by a whole day.
ZONES = [
    ("Europe/Paris", "2026-03-29"),
    ("Europe/Paris", "2026-10-25"),
    ("America/Santiago", "2026-04-05"),
    ("America/Santiago", "2026-09-06"),
    ("Australia/Lord_Howe", "2026-10-03"),
    ("Australia/Lord_Howe", "2026-04-04"),
    ("Pacific/Apia", "2011-12-30"),
]


@pytest.mark.parametrize(("zone", "change"), ZONES)
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
def test_each_day_has_its_time(zone: str, change: str, hour: int) -> None:
    """Around a change of the clock a fixed time comes once a day; one left out comes later."""
    ticks = Cron(f"30 {hour} * * *", zone).between(around(change)[0], around(change)[1], 100)
    shown = [time_of(tick).astimezone(ZoneInfo(zone)) for tick in ticks]
    first = shown[0].date()
    days = [first + timedelta(days=it) for it in range((shown[-1].date() - first).days + 1)]
    gone = {date(2011, 12, 30)} if zone == "Pacific/Apia" else set()
    assert [when.date() for when in shown] == [day for day in days if day not in gone]
    assert {when.minute for when in shown} <= {30, 0}
    assert [when for when in shown if when.hour not in (hour, hour + 1)] == []


@pytest.mark.parametrize(("zone", "change"), ZONES)
@pytest.mark.parametrize("entry", ["30 2 * * *", "45 23 * * *", "*/20 * * * *", "5 */2 * * *"])
def test_the_same_from_everywhere(zone: str, change: str, entry: str) -> None:
    """Which tick is next does not depend on where the search began."""
    cron, (begin, end) = Cron(entry, zone), around(change)
    ticks = cron.between(begin, end, 1000)
    assert ticks == sorted(set(ticks))
    for moment in range(begin, ticks[-1], 1013 * SECOND):
        assert cron.after(moment) == next(tick for tick in ticks if tick > moment)


def around(day: str) -> tuple[int, int]:
    """Give the moments two days before a day and three after."""
    return at(day) - 2 * 86400 * SECOND, at(day) + 3 * 86400 * SECOND


@settings(deadline=None, max_examples=50)
@given(MOMENTS, st.integers(0, 3_000_000), st.integers(1, 20))
def test_looking_back(end: int, seconds: int, most: int) -> None:
    """The last ticks of a stretch of time are those that looking forward gives."""
    cron = Cron("7,50 */5 * * *", "UTC")
    begin = end - seconds * SECOND
    found = cron.between(begin, end, most)
    assert found == cron.between(begin, end, 100_000)[-most:]


@pytest.mark.parametrize(
    ("expression", "zone", "problem"),
    [
        ("* * * *", "UTC", "five fields"),
        (None, "UTC", "five fields"),
        ("61 * * * *", "UTC", "61"),
        ("0 0 31 2 *", "UTC", "no such day"),
        ("* * * * 8", "UTC", "0 to 7"),
        ("* * * * *", "Mars/Olympus", "no time zone"),
        ("* * * * *", "../etc/passwd", "no time zone"),
    ],
)
def test_what_is_no_cron(expression: Any, zone: str, problem: str) -> None:
    """A mistake in an entry is named."""
    with pytest.raises(ValueError, match=problem):
        Cron(expression, zone)
