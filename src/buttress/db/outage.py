"""An outage: noticed once, told once, and probed by one at a time until it is over."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("buttress.db")

#: Seconds between two attempts to connect while the database is gone.
PROBE_EVERY = 0.2


class Down(Exception):
    """Raised for those who need not ask, since the database has not answered a moment ago."""


class Outage:
    """What a process knows of the reachability of one database; any thread may tell and ask."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._probe = threading.Lock()
        self._since: float | None = None
        self._next_probe = 0.0
        self._reason = ""
        #: When a connection was last lost, by `time.monotonic`; older ones are doubtful.
        self.lost = 0.0

    @property
    def reason(self) -> str | None:
        """Say why the database cannot be used; ``None`` while it can."""
        return self._reason if self._since is not None else None

    def begin(self, error: BaseException) -> None:
        """Note that the database does not answer; the first of an outage is logged."""
        with self._lock:
            self.lost = now = time.monotonic()
            if self._since is not None:
                return
            self._since = now
            self._reason = " ".join(str(error).split())
        logger.error("The database %s does not answer: %s", self._database, self._reason)

    def end(self) -> None:
        """Note that the database answers."""
        if self._since is None:
            return
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            seconds = time.monotonic() - since
            logger.info("The database %s answers again, after %.1f s", self._database, seconds)

    def connect(self, connect: Callable[[], Any]) -> Any:
        """Connect; during an outage one at a time, and not more often than `PROBE_EVERY`.

        Raises what ``connect`` raises, and `Down` for those who would only wait.
        """
        if self._since is None:
            return connect()
        if time.monotonic() < self._next_probe or not self._probe.acquire(blocking=False):
            raise Down(self._reason)
        try:
            return connect()
        finally:
            self._next_probe = time.monotonic() + PROBE_EVERY
            self._probe.release()
