"""A worker process as its supervisor knows it."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from buttress.lifecycle import Deadline
from buttress.serving.signals import STOP_SIGNALS, Blocked
from buttress.serving.worker import leave_process

logger = logging.getLogger("buttress.serving")


class Child:
    """A fork of this process, alone in its process group.

    A terminal's Ctrl-C so reaches the supervisor only, which then asks the workers to drain.
    """

    def __init__(self, pid: int, status: int, start_timeout: float) -> None:
        self.pid = pid
        self.ready = False
        self.killed = False
        #: Until when it must be ready.
        self.start_by = Deadline(start_timeout)
        #: Descriptor that is readable once the worker is ready, or gone.
        self.status = status
        self._born = time.monotonic()

    @property
    def age(self) -> float:
        """Give the seconds since the fork."""
        return time.monotonic() - self._born

    @property
    def expected(self) -> bool:
        """Tell whether it has yet to say that it is ready."""
        return not (self.ready or self.killed)

    def look(self) -> None:
        """Read whether it is ready."""
        if self.expected:
            with suppress(BlockingIOError):
                self.ready = bool(os.read(self.status, 1))

    def kill(self) -> None:
        """End it at once."""
        self.killed = True
        os.kill(self.pid, signal.SIGKILL)

    def gone(self) -> int | None:
        """Collect the exit code, negative for a signal; ``None`` while it lives."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return None
        self.look()
        os.close(self.status)
        return os.waitstatus_to_exitcode(status)


def fork_child(work: Callable[[Callable[[], None]], int], start_timeout: float) -> Child:
    """Fork, and run ``work`` in the child; it is given what to call once it is ready.

    Stop signals are held back in the child until ``work`` lets them through.
    """
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with Blocked(STOP_SIGNALS):
        pid = os.fork()
        if pid == 0:
            _be_child(work, writer)
    os.close(writer)
    return Child(pid, reader, start_timeout)


def _be_child(work: Callable[[Callable[[], None]], int], writer: int) -> None:
    code = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = work(lambda: _tell(writer))
    except BaseException:
        logger.exception("A worker failed")
    finally:
        leave_process(code)


def _tell(writer: int) -> None:
    os.write(writer, b"1")
    os.close(writer)
