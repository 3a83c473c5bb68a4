"""Triggers: the nominal times of a job's ticks, the same in every process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, tzinfo
from itertools import takewhile
from math import isfinite
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

from buttress.schedule.moment import SECOND, Moment, microseconds, moment_of, time_of
from buttress.schedule.weekday import weekdays

#: The shortest period, in seconds.
SHORTEST = 0.01
#: The longest period, in seconds: a century, so that the next tick has a date.
LONGEST = 36525 * 86400
#: How far back the search for cron's latest times begins, in microseconds.
_WINDOW = 3600 * SECOND
#: How near a change of the clock must be to move a time, in microseconds.
_NEAR = 86400 * SECOND


class Trigger(Protocol):
    """The times at which a job is due."""

    def after(self, moment: Moment) -> Moment:
        """Give the first tick that is later."""

    def between(self, begin: Moment, end: Moment, most: int) -> list[Moment]:
        """Give the ticks after ``begin`` and up to ``end``, of many the last ``most``."""


class Every:
    """The multiples of a period since 1970, moved by an offset; both in seconds."""

    def __init__(self, seconds: float, offset: float = 0) -> None:
        if not (SHORTEST <= seconds <= LONGEST and isfinite(offset)):
            raise ValueError(
                f"every(seconds={seconds!r}, offset={offset!r}): give at least {SHORTEST} seconds "
                "and at most a century"
            )
        self._text = f"every {seconds:.15g} s"
        self._period = microseconds(seconds)
        self._offset = microseconds(offset) % self._period

    def __str__(self) -> str:
        return self._text

    def after(self, moment: Moment) -> Moment:
        """Give the first tick that is later."""
        return self._latest(moment) + self._period

    def between(self, begin: Moment, end: Moment, most: int) -> list[Moment]:
        """Give the ticks after ``begin`` and up to ``end``, of many the last ``most``."""
        last = self._latest(end)
        first = max(self.after(begin), last - (most - 1) * self._period)
        return list(range(first, last + 1, self._period))

    def _latest(self, moment: Moment) -> Moment:
        return moment - (moment - self._offset) % self._period


class Cron:
    """The times of a crontab entry of five fields, in a time zone.

    As in crontab(5), 0 and 7 are Sunday, and where both the day of the month and that of the week
    are restricted, either will do. Where the end of summer time repeats an hour, a fixed time comes
    once, and an entry whose minute or hour begins with ``*`` goes on; a time that its beginning
    leaves out comes later by as much. Raises `ValueError` for what is no such entry.
    """

    def __init__(self, expression: str, timezone: str) -> None:
        expression = str(expression)  # whatever a mark was given
        self._text = f"{expression} ({timezone})"
        self._triggers = _triggers(expression)
        self._zone = zone_of(timezone)
        self._fixed = not any(field.startswith("*") for field in expression.split()[:2])
        if next(self._walls(0), None) is None:
            raise ValueError(f"cron({expression!r}): there is no such day")

    def __str__(self) -> str:
        return self._text

    def after(self, moment: Moment) -> Moment:
        """Give the first tick that is later."""
        walls = self._walls(moment + min(self._offsets(moment)))
        wall, found = next(
            (wall, it) for wall in walls for it in self._moments(wall) if it > moment
        )
        # A change of the clock turns the order of times near it round.
        nearby = self._offsets(found)
        near = takewhile(lambda it: it < wall + max(nearby) - min(nearby), walls)
        return min([found, *(it for other in near for it in self._moments(other) if it > moment)])

    def between(self, begin: Moment, end: Moment, most: int) -> list[Moment]:
        """Give the ticks after ``begin`` and up to ``end``, of many the last ``most``.

        Cron only looks forward: the search begins shortly before the end, and then farther back.
        """
        window = _WINDOW
        while end - window > begin:
            found = deque(self._from(end - window, end), most)
            if len(found) == most:
                return list(found)
            window *= 8
        return list(deque(self._from(begin, end), most))

    def _walls(self, wall: Moment) -> Iterator[Moment]:
        """Give the later times of the entry by a clock on the wall, as if it were one of UTC."""
        while True:
            start = time_of(wall + 1)
            found = [trigger.get_next_fire_time(None, start) for trigger in self._triggers]
            walls = [moment_of(when) for when in found if when is not None]
            if not walls:
                return
            wall = min(walls)
            yield wall

    def _moments(self, wall: Moment) -> list[Moment]:
        """Give the moments at which the clock on the wall shows a time, or jumps over it."""
        shown = time_of(wall).replace(tzinfo=self._zone)
        first, second = moment_of(shown), moment_of(shown.replace(fold=1))
        return [first, second] if second > first and not self._fixed else [first]

    def _offsets(self, moment: Moment) -> list[Moment]:
        """Give by how much the clock on the wall is ahead of UTC, a day before, now and after."""
        times = [time_of(it) for it in (moment - _NEAR, moment, moment + _NEAR)]
        shown = [when.astimezone(self._zone).replace(tzinfo=UTC) for when in times]
        return [moment_of(wall) - moment_of(when) for wall, when in zip(shown, times, strict=True)]

    def _from(self, begin: Moment, end: Moment) -> Iterator[Moment]:
        return takewhile(lambda tick: tick <= end, self._all_after(begin))

    def _all_after(self, moment: Moment) -> Iterator[Moment]:
        while True:
            moment = self.after(moment)
            yield moment


def zone_of(name: str) -> tzinfo:
    """Find a time zone by its name. Raises `ValueError` where there is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone, such as 'Europe/Paris'") from error


def _triggers(expression: str) -> list[CronTrigger]:
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(
            f"cron({expression!r}): write five fields: minute, hour, day, month, weekday"
        )
    minute, hour, day, month, weekday = fields
    days = [{"day": day}, {"day_of_week": weekdays(weekday)}]
    if day.startswith("*") or weekday.startswith("*"):
        days = [days[0] | days[1]]
    try:
        # In a zone that changes its clock APScheduler leaves days out.
        made = [
            CronTrigger(minute=minute, hour=hour, month=month, second=0, timezone=UTC, **each)
            for each in days
        ]
    except ValueError as error:
        raise ValueError(f"cron({expression!r}): {error}") from error
    return made
