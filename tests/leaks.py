"""What a test must not leave behind: threads, contexts, listening sockets, environment, folder."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import flask

# pytest writes this one itself, anew for each phase of a test.
OWN_VARIABLES = frozenset({"PYTEST_CURRENT_TEST"})
PATIENCE = 1.0
"""Seconds that a thread gets to end by itself after the test."""


@dataclass(frozen=True)
class Snapshot:
    """Hold the state of the process before a test, to compare and restore after it."""

    threads: frozenset[threading.Thread]
    listening: frozenset[str]
    environ: dict[str, str]
    folder: Path

    @classmethod
    def take(cls) -> Snapshot:
        """Look at the process as it is now."""
        return cls(
            threads=frozenset(threading.enumerate()),
            listening=frozenset(listening_sockets()),
            environ=environment(),
            folder=Path.cwd(),
        )

    def leaks(self) -> list[str]:
        """Name everything that has been left behind since."""
        return [
            *self._threads(),
            *contexts(),
            *(f"listens on {it}" for it in sorted(set(listening_sockets()) - self.listening)),
            *self._environ(),
            *self._folder(),
        ]

    def restore(self) -> None:
        """Put environment and folder back, so that one leak fails one test."""
        os.chdir(self.folder)
        for name in environment().keys() - self.environ.keys():
            del os.environ[name]
        os.environ.update(self.environ)

    def _threads(self) -> list[str]:
        end = time.monotonic() + PATIENCE
        while (new := set(threading.enumerate()) - self.threads) and time.monotonic() < end:
            time.sleep(0.01)
        return [f"thread {thread.name!r} still runs" for thread in new]

    def _environ(self) -> list[str]:
        now = environment()
        names = {*now, *self.environ}
        changed = sorted(name for name in names if now.get(name) != self.environ.get(name))
        return [f"os.environ[{name!r}] is changed" for name in changed]

    def _folder(self) -> list[str]:
        now = Path.cwd()
        return [] if now == self.folder else [f"the current folder is {now}, was {self.folder}"]


def environment() -> dict[str, str]:
    """Copy the environment without what pytest itself changes."""
    return {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}


def contexts() -> list[str]:
    """Name the Flask contexts that are pushed."""
    pushed = {
        "request": flask.has_request_context(),
        "application": flask.has_app_context(),
    }
    return [f"a Flask {kind} context is pushed" for kind, there in pushed.items() if there]


def listening_sockets() -> list[str]:
    """List the addresses on which this process listens."""
    numbers = [int(path.name) for path in Path("/dev/fd").iterdir()]
    return [address for number in numbers if (address := _address_if_listening(number))]


def _address_if_listening(number: int) -> str | None:
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return None
        with socket.socket(fileno=os.dup(number)) as copy:
            listens = copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            return str(copy.getsockname()) if listens else None
    except OSError:
        # The descriptor by which the folder was read is closed by now.
        return None
