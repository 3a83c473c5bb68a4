"""A worker process: it starts the application, answers requests, drains, and closes."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from buttress.errors import SetupError
from buttress.lifecycle import Deadline
from buttress.serving.engine import Engine
from buttress.serving.signals import STOP_SIGNALS, Signals

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.serving")

#: Exit codes of a worker.
DONE, FAILED, NOT_STARTED = 0, 1, 3


class Worker:
    """One life of the application in this process.

    ``lifeline`` is the reading end of a pipe that only the supervisor writes to: its end means
    that the supervisor drains, or is gone.
    """

    def __init__(
        self, app: Service, engine: Engine, listener: socket.socket, lifeline: int
    ) -> None:
        self._app = app
        self._engine = engine
        self._listener = listener
        self._lifeline = lifeline
        self._settings = app.settings.serving
        self._served = threading.Event()
        self._code = FAILED

    def run(self, ready: Callable[[], None]) -> int:
        """Live, and give the exit code."""
        with Signals(*STOP_SIGNALS) as signals:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            if not self._start():
                return NOT_STARTED
            end = threading.Thread(target=self._end, args=(signals,), name="drain", daemon=True)
            end.start()
            try:
                self._engine.serve(self._app, self._listener, ready)
            finally:
                self._served.set()
            end.join()
        return self._code

    def _start(self) -> bool:
        try:
            self._app.start()
        except SetupError as error:
            logger.error("%s does not start: %s", self._app.name, error)
            return False
        except Exception:
            logger.exception("%s does not start", self._app.name)
            return False
        return True

    def _end(self, signals: Signals) -> None:
        """Wait for the word to end, and see the drain through."""
        self._wait(signals, None)
        deadline = Deadline(self._settings.drain_timeout)
        self._engine.leave()
        drain = threading.Thread(
            target=self._app.lifecycle.drain, args=(deadline,), name="drain-parts", daemon=True
        )
        drain.start()
        self._wait(signals, self._settings.drain_grace)
        self._engine.stop()
        in_time = self._served.wait(deadline.left())
        drain.join(deadline.left())
        closed = self._close()
        self._code = DONE if in_time and closed else FAILED
        if not in_time:
            logger.error("%s: requests that run over DRAIN_TIMEOUT are cut off", self._app.name)
            leave_process(self._code)

    def _wait(self, signals: Signals, seconds: float | None) -> None:
        """Wait for a signal; without a limit also for the end of the lifeline."""
        sources = [signals.fileno()] if seconds is not None else [signals.fileno(), self._lifeline]
        end = None if seconds is None else Deadline(seconds)
        while True:
            readable, _, _ = select.select(sources, [], [], end.left() if end else None)
            if not readable or self._lifeline in readable or signals.read():
                return

    def _close(self) -> bool:
        try:
            self._app.close()
        except ExceptionGroup:  # each failure was logged where it happened
            return False
        return True


def leave_process(code: int) -> None:
    """End this forked process at once, without the exit handlers of its parent."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
