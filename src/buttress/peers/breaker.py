"""The circuit breaker: who failed several times in a row is left alone for a while.

See M. Nygard, Release It!, "Circuit Breaker".
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from enum import StrEnum

logger = logging.getLogger("buttress.peers")


class State(StrEnum):
    """Name the states of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitOpen(Exception):
    """Raised when a call is not let through; ``left`` is in seconds."""

    def __init__(self, left: float) -> None:
        super().__init__(f"left alone for another {left:.1f} s after several failures in a row")
        self.left = left


class Breaker:
    """Count the failures of one peer, and let no call through while it is left alone.

    It opens after so many ``failures`` in a row. After ``seconds`` one call is let through as a
    probe, and decides; another is where the first takes as long again.
    """

    def __init__(
        self,
        name: str,
        failures: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        #: Failures in a row.
        self.failures = 0
        self._opened: float | None = None
        #: Until when the outcome of a probe is awaited.
        self._awaited = -math.inf

    @property
    def state(self) -> State:
        """Give the state; an open circuit is half open once a probe may pass."""
        if self._opened is None:
            return State.CLOSED
        return State.OPEN if self.left() > 0 else State.HALF_OPEN

    def left(self) -> float:
        """Give the seconds until calls are let through again; 0 where they are."""
        opened = self._opened
        return 0.0 if opened is None else max(0.0, opened + self._seconds - self._clock())

    def enter(self) -> bool:
        """Let a call through, and tell whether it is a probe.

        Raises `CircuitOpen`. Each call that entered must `leave`.
        """
        return self._opened is not None and self._probe()

    def leave(self, probe: bool, *, failed: bool | None) -> None:
        """Count the outcome of a call; ``None`` says nothing of the peer.

        While the circuit is open only the probe counts: others entered before.
        """
        if failed is False and self.failures == 0:
            return
        with self._lock:
            if probe and self._opened is not None:
                self._awaited = -math.inf
                self._judge(failed)
            elif self._opened is None and failed is not None:
                self.failures = self.failures + 1 if failed else 0
                if self.failures >= self._limit:
                    self._open()

    def _probe(self) -> bool:
        with self._lock:
            left = self.left()
            if self._opened is None:  # another's probe has closed it
                return False
            now = self._clock()
            if left > 0 or now < self._awaited:
                raise CircuitOpen(left)
            self._awaited = now + self._seconds
            return True

    def _judge(self, failed: bool | None) -> None:
        if failed:
            self.failures += 1
            self._opened = self._clock()
        elif failed is False:
            self.failures, self._opened = 0, None
            logger.info("%s: answers again", self.name)

    def _open(self) -> None:
        self._opened = self._clock()
        logger.warning(
            "%s: %d failures in a row: left alone for %g s",
            self.name,
            self.failures,
            self._seconds,
        )
