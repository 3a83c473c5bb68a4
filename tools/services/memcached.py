"""Memcached."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tools.services.place import HOST, Place, says
from tools.services.server import Server


class Memcached(Server):
    """Memcached with its text protocol over TCP; it has no passwords that clients know of."""

    name = "memcached"
    variable = "TEST_MEMCACHED_URL"
    packages = ("memcached",)
    user = "memcache"
    ending = signal.SIGTERM

    def program(self) -> Path | None:
        """Find it on the path."""
        found = shutil.which("memcached")
        return None if found is None else Path(found)

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Start it with 64 MB, and without UDP."""
        place.start(
            [
                *(str(program), f"--listen={HOST}", f"--port={place.port}", "--udp-port=0"),
                *("--memory-limit=64", "--conn-limit=1024"),
            ],
            user,
        )

    def is_ready(self, place: Place) -> bool:
        """Ask for its version."""
        return says(place.port, b"version\r\n", b"VERSION ")

    def url(self, place: Place) -> str:
        """Give its address."""
        return f"memcached://{HOST}:{place.port}"
