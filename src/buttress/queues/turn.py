"""Whose turn it is: one process of a host at a time holds a file."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path


class Turn:
    """Hold a lock among the processes of one service on one host, until this one ends.

    The system takes it from a process that dies.
    """

    def __init__(self, service: str, queue: str) -> None:
        mark = hashlib.sha256(f"{service}\n{queue}".encode()).hexdigest()[:16]
        self._path = Path(tempfile.gettempdir(), f"buttress-{os.geteuid()}-{mark}.lock")
        self._file: int | None = None

    def take(self) -> bool:
        """Take the turn where nobody has it; tell whether this process has it.

        To be called again and again: who cleans the folder passes over what is in use, and a
        file that was removed all the same is noticed.
        """
        if self._file is not None and not self._is_removed(self._file):
            os.utime(self._file)
            return True
        self.leave()
        file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def _is_removed(self, file: int) -> bool:
        try:
            return not os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return True

    def leave(self) -> None:
        """Let another process have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
