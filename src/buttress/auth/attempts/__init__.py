"""Attempts to log in, counted in a store that all processes share.

An attempt is counted before its password is looked at, so that many at once do not slip through.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

import msgspec

#: Seconds after which counting begins anew.
WINDOW = 3600.0
#: Seconds by which the clocks of processes may differ.
SKEW = 60.0


class Pace(msgspec.Struct, frozen=True):
    """How fast attempts may follow each other: some at once, then after growing pauses."""

    #: Attempts without a pause.
    free: int
    #: Attempts in one window, whatever the pauses.
    most: int
    #: The longest pause, in seconds; the first is one second, and each is twice the one before.
    longest: float

    def pause(self, count: int) -> float:
        """Give the seconds after the attempt of this number, from 1."""
        return 0.0 if count < self.free else min(self.longest, 2.0 ** min(count - self.free, 30))


class Count(msgspec.Struct, frozen=True):
    """How many attempts there were since when, and when the next may be; seconds since 1970."""

    number: int
    since: float
    after: float


class Attempts(Protocol):
    """Count attempts by keys. Any thread of any process may call it."""

    def take(self, key: str, pace: Pace, now: float) -> float:
        """Count an attempt and give 0, or the seconds to wait, and then it is not counted.

        Of many that come at once, as many are counted as the pace allows.
        """

    def give_back(self, key: str) -> None:
        """Take back the latest attempt and its pause; those before it stay counted."""

    def forget(self, now: float) -> int:
        """Forget what is older than a window; give the number of keys."""


def next_count(known: Count | None, pace: Pace, now: float) -> tuple[Count, float]:
    """Give the count after an attempt, and the seconds it has to wait if it may not be made."""
    if known is None or not known.since - SKEW <= now < known.since + WINDOW:
        known = Count(0, now, now)
    if known.number >= pace.most:
        return known, known.since + WINDOW - now
    if now < known.after:
        return known, known.after - now
    number = known.number + 1
    return Count(number, known.since, now + pace.pause(number)), 0.0


def key_of(*parts: str) -> str:
    """Name what is counted, without keeping the names that people tried."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
