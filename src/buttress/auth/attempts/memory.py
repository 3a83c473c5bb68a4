"""Attempts in this process alone."""

from __future__ import annotations

import threading

from buttress.auth.attempts import WINDOW, Count, Pace, next_count

#: The most keys. Each costs an attacker the time of a hash, so an hour's fit in.
MOST = 200_000


class MemoryAttempts:
    """Count attempts in a dictionary."""

    def __init__(self) -> None:
        self._counts: dict[str, Count] = {}
        self._lock = threading.Lock()

    def take(self, key: str, pace: Pace, now: float) -> float:
        """Count an attempt, or give the seconds to wait."""
        with self._lock:
            count, wait = next_count(self._counts.get(key), pace, now)
            self._counts[key] = count
            if len(self._counts) > MOST:
                del self._counts[next(iter(self._counts))]  # the oldest
        return wait

    def give_back(self, key: str) -> None:
        """Take back the latest attempt and its pause."""
        with self._lock:
            count = self._counts.get(key)
            if count is not None and count.number > 0:
                self._counts[key] = Count(count.number - 1, count.since, 0.0)

    def forget(self, now: float) -> int:
        """Forget what is too old."""
        with self._lock:
            old = [key for key, count in self._counts.items() if count.since + WINDOW <= now]
            for key in old:
                del self._counts[key]
        return len(old)
