"""A worker process: it starts the application, answers requests, drains, and closes."""

from __future__ import annotations

import fcntl
import logging
import os
import select
import signal
import socket
import struct
import sys
import termios
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from buttress.errors import SetupError
from buttress.lifecycle import Deadline
from buttress.serving import intake
from buttress.serving.engine import Engine
from buttress.serving.signals import STOP_SIGNALS, Signals

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.serving")

#: Exit codes of a worker.
DONE, FAILED, NOT_STARTED = 0, 1, 3
#: Seconds without a request after which connections count as idle, and between two looks.
IDLE, LOOK = 0.5, 0.05


class Worker:
    """One life of the application, in this process.

    ``lifeline`` is the reading end of a pipe whose other end only the supervisor has. A byte in
    it, which is left there for the others, asks to drain; without one it ends with the supervisor.
    """

    def __init__(
        self, app: Service, engine: Engine, listener: socket.socket, lifeline: int
    ) -> None:
        self._app = app
        self._engine = engine
        self._listener = listener
        self._lifeline = lifeline
        self._settings = app.settings.serving
        self._ready = threading.Event()
        self._served = threading.Event()
        self._told = False
        self._code = FAILED

    def run(self, ready: Callable[[], None]) -> int:
        """Live, and give the exit code."""
        with Signals(*STOP_SIGNALS) as signals:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            if not self._start():
                return NOT_STARTED
            end = threading.Thread(
                target=self._lead_out, args=(signals,), name="drain", daemon=True
            )
            end.start()
            self._serve(ready)
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

    def _serve(self, ready: Callable[[], None]) -> None:
        def accepting() -> None:
            self._ready.set()
            ready()

        try:
            self._engine.serve(self._app, self._listener.dup(), accepting)
        except BaseException:
            logger.exception("The server of %s failed", self._app.name)
        self._served.set()
        if not self._told:
            logger.error("The server of %s ended without being told to", self._app.name)
            self._close()
            leave_process(FAILED)

    def _lead_out(self, signals: Signals) -> None:
        """End, also where the drain itself fails; nobody else would end this process in time."""
        try:
            self._end(signals)
        except BaseException:
            logger.exception("The drain of %s failed", self._app.name)
            self._close()
            leave_process(FAILED)

    def _end(self, signals: Signals) -> None:
        """Wait for the word to end, and see the drain through."""
        select.select([signals.fileno(), self._lifeline], [], [])
        deadline = Deadline(self._settings.drain_timeout)
        signals.read()
        together, orphaned = self._circumstances()
        self._ready.wait(deadline.left())
        self._engine.leave()
        drain = threading.Thread(
            target=self._app.lifecycle.drain, args=(deadline,), name="drain-parts", daemon=True
        )
        drain.start()
        if not orphaned:
            select.select([signals], [], [], self._settings.drain_grace)
        self._stop(together, deadline)
        in_time = self._all_answered(deadline)
        drain.join(deadline.left())
        self._code = DONE if self._close() and in_time else FAILED
        if not in_time:
            logger.error("%s: requests that run beyond DRAIN_TIMEOUT are cut off", self._app.name)
        if not self._served.is_set():
            leave_process(self._code)

    def _all_answered(self, deadline: Deadline) -> bool:
        """Wait until the server ends, or has long had nothing left but idle connections."""
        quiet = Deadline(IDLE)
        while not self._served.wait(min(LOOK, deadline.left())):
            if deadline.passed:
                return False
            if not self._engine.idle():
                quiet = Deadline(IDLE)
            elif quiet.passed:
                break
        return True

    def _circumstances(self) -> tuple[bool, bool]:
        """Tell whether all workers end, and whether that is because the supervisor is gone."""
        together, _, _ = select.select([self._lifeline], [], [], 0)
        size = struct.unpack("i", fcntl.ioctl(self._lifeline, termios.FIONREAD, bytes(4)))[0]
        return bool(together), bool(together) and not size

    def _stop(self, together: bool, deadline: Deadline) -> None:
        if together:
            intake.shut(self._listener)
            intake.settle(self._listener, deadline)
        self._told = True
        self._engine.stop(deadline)
        self._listener.close()

    def _close(self) -> bool:
        try:
            self._app.close()
        except ExceptionGroup:  # each failure was logged where it happened
            return False
        return True


def leave_process(code: int) -> None:
    """End this forked process at once, without the exit handlers of its parent."""
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)
