"""A supervised loop: a thread that repeats one step, survives its failures, and can be ended."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from buttress.backoff import pauses
from buttress.lifecycle import Deadline

logger = logging.getLogger("buttress.loop")

#: The first pause after a failure and the longest, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0


class Loop:
    """Repeat ``step`` in a thread of its own, from `start` until `stop`.

    ``step`` does a part of the work and gives the seconds to wait before the next; 0 is at once.
    Where it raises, the loop says so once, tries again after growing pauses, and says when it
    works again.
    """

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self.name = name
        self._step = step
        self._stopping = threading.Event()
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None
        self._pauses: Iterator[float] | None = None
        #: What the latest step failed with; ``None`` once one succeeded.
        self.failure: Exception | None = None
        #: When a step last succeeded, by `time.monotonic`.
        self.succeeded: float | None = None

    @property
    def stopping(self) -> bool:
        """Tell whether the loop was told to end."""
        return self._stopping.is_set()

    @property
    def running(self) -> bool:
        """Tell whether the thread is there."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the loop to end after the step that it is in; any thread may."""
        self._stopping.set()
        self._awake.set()

    def wake(self) -> None:
        """End the wait between two steps; any thread may."""
        self._awake.set()

    def join(self, deadline: Deadline) -> bool:
        """Wait for the end, and tell whether it came in time."""
        if self._thread is not None:
            self._thread.join(deadline.left())
        return not self.running

    def _run(self) -> None:
        while not self.stopping:
            self._wait(self._attempt())

    def _attempt(self) -> float:
        try:
            seconds = self._step()
        except Exception as error:  # noqa: BLE001  # a loop outlives whatever its step meets
            return self._failed(error)
        self.succeeded = time.monotonic()
        if self.failure is not None:
            logger.info("%s works again", self.name)
            self.failure, self._pauses = None, None
        return seconds

    def _failed(self, error: Exception) -> float:
        if self._pauses is None:
            logger.error("%s fails and is tried again: %s", self.name, error, exc_info=error)
            self._pauses = pauses(FIRST_PAUSE, LONGEST_PAUSE)
        self.failure = error
        return next(self._pauses)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._awake.wait(seconds)
        if not self.stopping:
            self._awake.clear()
