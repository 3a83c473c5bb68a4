"""The breaker: a server that failed is left alone for a while, so that nobody waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from buttress.backoff import pauses

P = ParamSpec("P")
R = TypeVar("R")

#: The first pause and the longest, in seconds; each is drawn between half of it and the whole.
FIRST, LONGEST = 2.0, 6.0


class LeftAlone(Exception):
    """Raised when a server is not asked, for it failed a moment ago; ``left`` is in seconds."""

    def __init__(self, what: str, left: float) -> None:
        super().__init__(f"{what} is left alone for another {left:.1f} s, after a failure")
        self.left = left


class Breaker:
    """Let no call through for a while after one has failed; then one, to see.

    Of the errors of a call, ``failures`` are the server's; others say nothing of it. An incident is
    logged when it begins, "``what`` does not work; ``meanwhile``: …", and when it ends. Threads
    share a breaker; processes do not.
    """

    def __init__(
        self,
        what: str,
        meanwhile: str,
        failures: tuple[type[Exception], ...],
        logger: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._meanwhile = what, meanwhile
        self._failures = failures
        self._logger = logger
        self._clock = clock
        self._lock = threading.Lock()
        self._retry_at: float | None = None
        self._pauses: Iterator[float] = pauses(FIRST, LONGEST)

    @property
    def is_open(self) -> bool:
        """Tell whether the server is left alone."""
        return self._retry_at is not None

    @property
    def state(self) -> str:
        """Give the word that the heartbeat shows: ``closed`` where all is well, or ``open``."""
        return "open" if self.is_open else "closed"

    def call(self, operation: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Ask the server by an operation. Raises `LeftAlone`, and what the operation raises."""
        if self._retry_at is not None and self._may_probe():
            return self.probe(operation, *args, **kwargs)
        try:
            return operation(*args, **kwargs)
        except self._failures as error:
            self._failed(error, probe=False)
            raise

    def probe(self, operation: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Ask the server however long ago it failed: the answer ends the incident."""
        try:
            found = operation(*args, **kwargs)
        except self._failures as error:
            self._failed(error, probe=True)
            raise
        self._worked()
        return found

    def _may_probe(self) -> bool:
        """Tell whether this call is the one that looks; ``False`` where all may pass again."""
        with self._lock:
            now = self._clock()
            if self._retry_at is None:
                return False
            if now < self._retry_at:
                raise LeftAlone(self._what, self._retry_at - now)
            # The others stay away while it looks.
            self._retry_at = now + LONGEST
            return True

    def _failed(self, error: Exception, *, probe: bool) -> None:
        with self._lock:
            begins = self._retry_at is None
            # Of a call that began before the incident nothing is learned.
            if begins or probe:
                self._retry_at = self._clock() + next(self._pauses)
        if begins:
            said = (self._what, self._meanwhile, type(error).__name__, error)
            self._logger.error("%s does not work; %s: %s: %s", *said)

    def _worked(self) -> None:
        with self._lock:
            ended, self._retry_at = self._retry_at is not None, None
            self._pauses = pauses(FIRST, LONGEST)
        if ended:
            self._logger.info("%s works again", self._what)
