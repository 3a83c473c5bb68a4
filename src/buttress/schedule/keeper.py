"""The keeper: renews the leases of the jobs that run in this process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from buttress.db import Lease
from buttress.lifecycle import Deadline
from buttress.loop import Loop

logger = logging.getLogger("buttress.schedule")


class Keeper:
    """Renew leases every so many seconds, in a thread that begins with the first of them."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._held: set[Lease] = set()
        self._loop: Loop | None = None

    @contextmanager
    def keeping(self, lease: Lease) -> Iterator[None]:
        """Keep a lease that is held during this block, and release it."""
        with self._lock:
            self._held.add(lease)
            if self._loop is None:
                self._loop = Loop("schedule-keeper", self._renew)
                self._loop.start()
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(lease)
            lease.release()

    def close(self, deadline: Deadline) -> None:
        """Renew no more, and end the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.stop()
            loop.join(deadline)

    def _renew(self) -> float:
        with self._lock:
            held = list(self._held)
        for lease in held:
            if not lease.renew() and self._gave_up(lease):
                logger.warning("%s still runs, but its lease is lost", lease.name)
        return self._every

    def _gave_up(self, lease: Lease) -> bool:
        """Forget a lease that was lost; false where it was released in the meantime."""
        with self._lock:
            known = lease in self._held
            self._held.discard(lease)
        return known
