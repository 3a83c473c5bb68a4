"""What a provider publishes: fetched when it is needed, and kept while the provider is down."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from buttress.errors import Unavailable
from buttress.oidc.server import ProviderDown

logger = logging.getLogger("buttress.oidc")

#: Seconds after which it is fetched anew, so that what was withdrawn ends.
LASTS = 3600.0
#: Least seconds between two fetches, after one that succeeded and after one that failed.
PAUSE, RETRY = 30.0, 5.0
#: Seconds that a request waits for the fetch of another.
PATIENCE = 1.0
DOWN = "The identity provider does not answer at the moment."

T = TypeVar("T")


class Kept(Generic[T]):
    """Keep one thing. Any thread may call it; ``now`` is a clock in seconds.

    While the provider is down, or answers nonsense, what is known goes on. ``what`` is for the log.
    """

    def __init__(
        self, what: str, fetch: Callable[[], T], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._what = what
        self._fetch = fetch
        self._now = now
        self._lock = Lock()
        self._known: T | None = None
        self._fetched = -math.inf
        #: Before this moment nothing is fetched.
        self._next = -math.inf
        self._failed = False

    @property
    def age(self) -> float:
        """Give the seconds since it was fetched."""
        return self._now() - self._fetched

    def get(self) -> T:
        """Give it. Raises `Unavailable` where nothing is known."""
        known = self._known
        if known is None:
            return self.newer(None)
        if self.age >= LASTS and self._lock.acquire(blocking=False):
            try:
                self._update()
            finally:
                self._lock.release()
            return self._known or known
        return known

    def newer(self, than: T | None) -> T:
        """Give a newer one, or the same where that was asked for a moment ago.

        Raises `Unavailable` where the provider cannot be asked.
        """
        if not self._lock.acquire(timeout=PATIENCE):
            raise Unavailable(DOWN)
        try:
            if self._known is than:
                self._update()
            if self._known is None or (self._known is than and self._failed):
                raise Unavailable(DOWN)
            return self._known
        finally:
            self._lock.release()

    def _update(self) -> None:
        """Fetch it, unless that was tried a moment ago."""
        if self._now() < self._next:
            return
        try:
            found = self._fetch()
            if found != self._known:  # who compares by identity sees that nothing has changed
                self._known = found
                logger.info("fetched %s", self._what)
            self._failed, self._fetched = False, self._now()
        except (ProviderDown, ValueError) as error:
            self._failed = True
            logger.error("%s cannot be fetched: %s", self._what, error)
        self._next = self._now() + (RETRY if self._failed else PAUSE)
