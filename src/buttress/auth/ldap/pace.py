"""How long logins take, so that those of unknown names take as long."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import median

#: Logins of each kind that are looked at.
RECENT = 64
#: Seconds by which a sleep may end late; the last ones are waited for awake.
FINE = 0.001


class Pace:
    """Make up for what is done for known names only: above all, to hash the password.

    ``clock`` and ``sleep`` are in seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._known: deque[float] = deque(maxlen=RECENT)
        self._unknown: deque[float] = deque(maxlen=RECENT)

    def begin(self) -> float:
        """Give the time at which a login begins."""
        return self._clock()

    def known(self, began: float) -> None:
        """Note that the password of somebody has been looked at."""
        self._known.append(self._clock() - began)

    def unknown(self, began: float, most: float) -> None:
        """Note that there was nobody, and wait for what is missing, at most so long."""
        now = self._clock()
        self._unknown.append(now - began)
        missing = _usual(self._known) - _usual(self._unknown)
        end = now + min(missing, most)
        if end - now > FINE:
            self._sleep(end - now - FINE)
        while self._clock() < end:
            pass


def _usual(seconds: deque[float]) -> float:
    return median(tuple(seconds)) if seconds else 0.0
