"""PostgreSQL."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tools.services.place import HOST, Place, says
from tools.services.server import Server

#: A StartupMessage of protocol 3.0 with no user: answered with an error by a server that is up.
GREETING = b"\x00\x00\x00\x09\x00\x03\x00\x00\x00"


class Postgres(Server):
    """PostgreSQL with a superuser ``buttress`` and a database of that name."""

    name = "postgres"
    variable = "TEST_POSTGRES_URL"
    packages = ("postgresql",)
    user = "postgres"
    ending = signal.SIGINT

    def program(self) -> Path | None:
        """Find the newest one of Debian's, or the one on the path."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        onpath = shutil.which("postgres")
        return found[-1] if found else None if onpath is None else Path(onpath)

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Start it, after making a cluster where there is none."""
        if not (place.data / "PG_VERSION").exists():
            self._make_cluster(place, program, user)
        settings = {
            "listen_addresses": HOST,
            "port": str(place.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": "300",
        }
        options = [word for it in settings.items() for word in ("-c", "=".join(it))]
        place.start([str(program), "-D", str(place.data), *options], user)

    def _make_cluster(self, place: Place, program: Path, user: str | None) -> None:
        secret = place.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(place.password)
        if user is not None:
            shutil.chown(secret, user)
        place.run(
            [
                *(str(program.with_name("initdb")), "--pgdata", str(place.data)),
                *("--username", "buttress", "--pwfile", str(secret)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            user,
        )

    def is_ready(self, place: Place) -> bool:
        """Greet it; while it starts it refuses with a code of its own."""
        return says(place.port, GREETING, b"C28000")

    def url(self, place: Place) -> str:
        """Give the URL of the database that every cluster has."""
        return f"postgresql://buttress:{place.password}@{HOST}:{place.port}/postgres"
