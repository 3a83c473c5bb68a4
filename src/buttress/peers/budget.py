"""The retry budget: retries are a small share of the calls, so that they do not become a storm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: Seconds over which calls and retries are counted, and how many retries are always allowed.
WINDOW, LEAST = 10, 3


class Budget:
    """Count the calls to one peer, and say whether another retry is within the ``share``."""

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._lock = threading.Lock()
        #: Per second, one after the other: the second, the calls and the retries in it.
        self._seconds = [[-WINDOW, 0, 0] for _ in range(WINDOW)]

    def call(self) -> None:
        """Count a call."""
        with self._lock:
            self._current(int(self._clock()))[1] += 1

    def retry(self) -> bool:
        """Tell whether a retry is within the budget, and count it where it is."""
        with self._lock:
            now = int(self._clock())
            recent = [it for it in self._seconds if now - it[0] < WINDOW]
            calls, retries = sum(it[1] for it in recent), sum(it[2] for it in recent)
            if retries >= max(LEAST, self._share * calls):
                return False
            self._current(now)[2] += 1
            return True

    def _current(self, now: int) -> list[int]:
        found = self._seconds[now % WINDOW]
        if found[0] != now:
            found[:] = (now, 0, 0)
        return found
