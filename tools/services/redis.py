"""Redis."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tools.services.place import HOST, Place, says
from tools.services.server import Server


class Redis(Server):
    """Redis in memory, without persistence."""

    name = "redis"
    variable = "TEST_REDIS_URL"
    packages = ("redis-server",)
    user = "redis"
    ending = signal.SIGTERM

    def program(self) -> Path | None:
        """Find it on the path."""
        found = shutil.which("redis-server")
        return None if found is None else Path(found)

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Write its configuration, which has the password, and start it."""
        lines = (
            f"bind {HOST}",
            f"port {place.port}",
            f"dir {place.data}",
            f"requirepass {place.password}",
            'save ""',
        )
        configuration = place.data / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join(lines) + "\n")
        if user is not None:
            shutil.chown(configuration, user)
        place.start([str(program), str(configuration)], user)

    def is_ready(self, place: Place) -> bool:
        """Authenticate and ping."""
        return says(place.port, f"AUTH {place.password}\r\nPING\r\n".encode(), b"+PONG")

    def url(self, place: Place) -> str:
        """Give the URL of its first database."""
        return f"redis://default:{place.password}@{HOST}:{place.port}/0"
