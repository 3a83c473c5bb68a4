"""The breaker: a server that failed is left alone for a while, so that requests do not wait."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from buttress.backoff import pauses

logger = logging.getLogger("buttress.cache")

#: The first pause and the longest, in seconds; each is drawn between half of it and the whole.
FIRST, LONGEST = 2.0, 6.0
#: Seconds between two records of what a server refuses.
QUIET = 60.0


class Breaker:
    """Let no operation through for a while after one has failed; then one, to see.

    An incident is logged once when it begins and once when it ends.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._retry_at: float | None = None
        self._pauses: Iterator[float] = pauses(FIRST, LONGEST)
        self._quiet_until = 0.0

    @property
    def state(self) -> str:
        """Give the word that the heartbeat shows: ``closed`` where all is well, or ``open``."""
        return "open" if self.is_open else "closed"

    @property
    def is_open(self) -> bool:
        """Tell whether the server is left alone."""
        return self._retry_at is not None

    def may_try(self) -> bool:
        """Tell whether this operation is the one that looks whether the server works again."""
        with self._lock:
            now = self._clock()
            if self._retry_at is None:
                return True
            if now < self._retry_at:
                return False
            # The others stay away while this one tries.
            self._retry_at = now + next(self._pauses)
            return True

    def succeeded(self) -> None:
        """Note that the server has answered."""
        if self._retry_at is None:
            return
        with self._lock:
            ended, self._retry_at = self._retry_at is not None, None
            self._pauses = pauses(FIRST, LONGEST)
        if ended:
            logger.info("the cache at %s works again", self.name)

    def failed(self, error: Exception) -> None:
        """Note that the server has not answered, or not as it should."""
        with self._lock:
            begins = self._retry_at is None
            if begins:
                self._retry_at = self._clock() + next(self._pauses)
        if begins:
            logger.error(
                "the cache at %s does not work; going on without: %s", self.name, _said(error)
            )

    def refused(self, error: Exception) -> None:
        """Note that the server works and has refused an operation; logged once a minute."""
        with self._lock:
            now = self._clock()
            tells = now >= self._quiet_until
            if tells:
                self._quiet_until = now + QUIET
        if tells:
            logger.warning("the cache at %s refuses an operation: %s", self.name, _said(error))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
