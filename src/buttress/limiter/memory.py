"""Counts in the memory of one process."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from heapq import heappop, heappush
from math import floor
from typing import Any

from limits.storage import MovingWindowSupport, SlidingWindowCounterSupport, Storage

#: Counts that are kept. Beyond it those go that would end soonest: a client with very many
#: addresses must not fill the memory.
MOST = 100_000


class Count:
    """The requests of one client within one window."""

    __slots__ = ("ends", "hits", "times")

    def __init__(self) -> None:
        self.hits = 0
        self.ends = 0.0
        #: When each was, in order, for windows that move.
        self.times: list[float] = []


class MemoryStorage(Storage, MovingWindowSupport, SlidingWindowCounterSupport):
    """Count in memory, at most ``most`` clients and routes.

    The one of `limits` starts a thread when it is made and every 10 ms from then on, loses counts
    to races, and has no bound.
    """

    STORAGE_SCHEME = ["buttress+memory"]  # noqa: RUF012 -- so declared by `limits`

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = False,
        clock: Callable[[], float] = time.time,
        most: int = MOST,
        **options: Any,
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._counts: dict[str, Count] = {}
        #: When a count may be over, soonest first.
        self._ends: list[tuple[float, str]] = []

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Give the errors of the storage itself: none."""
        return ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count up; the window begins with the first."""
        with self._lock:
            return self._hit(key, expiry, amount, self._clock())

    def get(self, key: str) -> int:
        """Give the count of the window."""
        with self._lock:
            return self._hits(key, self._clock())

    def get_expiry(self, key: str) -> float:
        """Give the time at which the window ends; now where there is none."""
        with self._lock:
            now = self._clock()
            count = self._counts.get(key)
            return max(count.ends, now) if count else now

    def clear(self, key: str) -> None:
        """Forget a count; its window goes on."""
        with self._lock:
            count = self._counts.get(key)
            if count is not None:
                count.hits, count.times = 0, []

    def reset(self) -> int:
        """Forget every count, and give their number."""
        with self._lock:
            number = len(self._counts)
            self._counts.clear()
            self._ends.clear()
            return number

    def check(self) -> bool:
        """Tell that it works."""
        return True

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count up unless there are too many within the last ``expiry`` seconds."""
        with self._lock:
            now = self._clock()
            count = self._counts.get(key)
            if count is None or count.ends > now + expiry:
                count = self._new(key, now + expiry, now)
            del count.times[: bisect_right(count.times, now - expiry)]
            if len(count.times) + amount > limit:
                return False
            count.times += [now] * amount
            count.ends = now + expiry
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Give the time of the first of the last ``expiry`` seconds, and their number."""
        with self._lock:
            now = self._clock()
            count = self._counts.get(key)
            times = count.times if count else []
            first = bisect_right(times, now - expiry)
            return (times[first], len(times) - first) if first < len(times) else (now, 0)

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count up unless there are too many, with the share of the window before."""
        with self._lock:
            now = self._clock()
            before, left, hits, _ = self._sliding(key, expiry, now)
            if floor(before * left / expiry + hits) + amount > limit:
                return False
            self._hit(_window(key, expiry, now), 2 * expiry, amount, now)
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Give count and seconds left of the window before, and of this one."""
        with self._lock:
            return self._sliding(key, expiry, self._clock())

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget both windows."""
        now = self._clock()
        self.clear(_window(key, expiry, now))
        self.clear(_window(key, expiry, now - expiry))

    def _sliding(self, key: str, expiry: int, now: float) -> tuple[int, float, int, float]:
        left = expiry - now % expiry
        before = self._hits(_window(key, expiry, now - expiry), now)
        hits = self._hits(_window(key, expiry, now), now)
        return before, left if before else 0.0, hits, left + expiry

    def _hits(self, key: str, now: float) -> int:
        count = self._counts.get(key)
        return count.hits if count is not None and count.ends > now else 0

    def _hit(self, key: str, expiry: float, amount: int, now: float) -> int:
        count = self._counts.get(key)
        # One that ends too late is of a clock that was put back.
        if count is None or not now < count.ends <= now + expiry:
            count = self._new(key, now + expiry, now)
        count.hits += amount
        return count.hits

    def _new(self, key: str, ends: float, now: float) -> Count:
        self._make_room(now)
        count = self._counts[key] = Count()
        count.ends = ends
        heappush(self._ends, (ends, key))
        return count

    def _make_room(self, now: float) -> None:
        """Drop what is over, and what is too many."""
        while self._ends and (self._ends[0][0] <= now or len(self._counts) >= self._most):
            ends, key = heappop(self._ends)
            count = self._counts.get(key)
            if count is None:
                continue
            if count.ends > ends and count.ends > now:  # it has moved on
                heappush(self._ends, (count.ends, key))
            else:
                del self._counts[key]


def _window(key: str, expiry: int, at: float) -> str:
    return f"{key}/{int(at // expiry)}"
