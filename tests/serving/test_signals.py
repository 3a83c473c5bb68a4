"""Signals as something to read."""

from __future__ import annotations

import os
import select
import signal
import threading

from buttress.serving.signals import Blocked, Signals


def test_signals_are_read() -> None:
    """A signal that is collected can be read, once."""
    with Signals(signal.SIGUSR1, signal.SIGUSR2) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert select.select([signals], [], [], 2)[0] == [signals]
        assert signals.read() == [signal.SIGUSR1]
        assert signals.read() == []


def test_handlers_are_restored() -> None:
    """Afterwards the handlers are what they were before."""
    before = signal.getsignal(signal.SIGUSR1)
    with Signals(signal.SIGUSR1):
        assert signal.getsignal(signal.SIGUSR1) is not before
    assert signal.getsignal(signal.SIGUSR1) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_blocked_signals_come_afterwards() -> None:
    """A signal that is held back comes when the block ends."""
    with Signals(signal.SIGUSR1) as signals:
        with Blocked([signal.SIGUSR1]):
            # To this thread: one to the process may go to a thread of the test runner's.
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
            assert signals.read() == []
        assert select.select([signals], [], [], 2)[0] == [signals]
