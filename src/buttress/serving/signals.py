"""Signals as something to read, so that one select waits for them and for everything else."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from types import FrameType
from typing import Self

#: What ends a service.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Collect signals in a pipe while the block runs; must be entered in the main thread."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self._numbers = numbers
        self._reader, self._writer = -1, -1
        self._before: dict[signal.Signals, object] = {}
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _noted) for number in self._numbers}
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as signal.signal gave it
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._reader)
        os.close(self._writer)

    def fileno(self) -> int:
        """Give the descriptor that is readable once a signal came."""
        return self._reader

    def read(self) -> list[int]:
        """Take the numbers of the signals that came, of those that are collected."""
        try:
            came = os.read(self._reader, 4096)
        except BlockingIOError:
            return []
        return [number for number in came if number in self._numbers]


class Blocked:
    """Hold signals back while the block runs; they come afterwards."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._numbers = tuple(numbers)

    def __enter__(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)

    def __exit__(self, *exc: object) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._numbers)


def _noted(number: int, frame: FrameType | None) -> None:
    """Let Python write the number into the pipe, which it does for any handler."""
