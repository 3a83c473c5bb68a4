"""What was found out lately, so that it need not be found out for each request."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Remember up to ``size`` values, each for so many seconds; any thread may use it.

    ``seconds`` of 0 remembers nothing.
    """

    def __init__(
        self, size: int, seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._seconds = seconds
        self._now = now
        self._values: OrderedDict[K, tuple[float, float, V]] = OrderedDict()
        self._lock = threading.Lock()
        self._times_forgotten = 0

    def get(self, key: K) -> V | None:
        """Give what is remembered; ``None`` where it is nothing, or too old."""
        found = self._values.get(key)
        if found is None:
            return None
        since, until, value = found
        return value if since <= self._now() < until else None  # the clock may have gone back

    def of(self, key: K, ask: Callable[[], V | None]) -> V | None:
        """Give what is remembered, or ask; a time begins with the question, not with each use.

        What was forgotten while somebody asked is not remembered: it may be the old answer.
        """
        found = self.get(key)
        if found is None:
            before = self._times_forgotten
            found = ask()
            if found is not None:
                self.put(key, found, before=before)
        return found

    def put(self, key: K, value: V, *, before: int | None = None) -> None:
        """Remember a value; where ``before`` is given, only if nothing was forgotten since."""
        if self._seconds <= 0:
            return
        with self._lock:
            if before is not None and before != self._times_forgotten:
                return
            now = self._now()
            self._values[key] = (now, now + self._seconds, value)
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)

    def forget(self, key: K | None = None) -> None:
        """Forget a value, or everything."""
        with self._lock:
            self._times_forgotten += 1
            if key is None:
                self._values.clear()
            else:
                self._values.pop(key, None)
