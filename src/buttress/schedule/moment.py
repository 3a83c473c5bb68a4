"""Moments: whole microseconds since 1970, which every process and database compares alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Moment: TypeAlias = int
Clock: TypeAlias = Callable[[], Moment]

SECOND = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> Moment:
    """Read the clock of this host."""
    return time.time_ns() // 1000


def microseconds(seconds: float) -> int:
    """Give a duration in microseconds."""
    return round(seconds * SECOND)


def moment_of(when: datetime) -> Moment:
    """Give the moment of an aware time."""
    return (when - _EPOCH) // _MICROSECOND


def time_of(moment: Moment) -> datetime:
    """Give the time of a moment, in UTC."""
    return _EPOCH + timedelta(microseconds=moment)
