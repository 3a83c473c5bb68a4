"""Servers of a test's own, to stop, kill and start again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.servers import miss
from tools.services.__main__ import SERVERS
from tools.services.place import READY_WITHIN, Place


class PrivateServer:
    """One server of `tools/services` that belongs to a test."""

    def __init__(self, name: str) -> None:
        self._server = next(server for server in SERVERS if server.name == name)
        self._user = self._server.user if os.geteuid() == 0 else None
        self._place = Place(name)
        found = self._server.program()
        if found is None:
            miss(f"{name} is not installed")
        self._program: Path = found
        self._place.make(self._user)

    @property
    def url(self) -> str:
        """Give its address."""
        return self._server.url(self._place)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._server.start(self._place, self._program, self._user)
        end = time.monotonic() + READY_WITHIN
        while not self._server.is_ready(self._place):
            if time.monotonic() > end or not self._place.is_running():
                pytest.fail(f"{self._server.name} does not start: {self._place.log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in order; its data stays."""
        self._place.end(self._server.ending)

    def kill(self) -> None:
        """End it at once; its data stays as it is."""
        self._place.end(signal.SIGKILL)

    def remove(self) -> None:
        """End it and remove its data."""
        self._place.stop(self._server.ending)


@contextmanager
def private_server(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateServer]:
    """Start a server for one test."""
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        monkeypatch.setenv("SERVICES_FOLDER", str(Path(made, "services")))
        server = PrivateServer(name)
        try:
            server.start()
            yield server
        finally:
            server.remove()
