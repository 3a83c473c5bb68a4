"""Firebird."""

from __future__ import annotations

import shutil
import signal
import struct
from pathlib import Path

from tools.services.place import HOST, Place, says
from tools.services.server import Server

#: An ``op_connect`` of protocol 13 by nobody; a server that is up answers with a number of its own.
GREETING = struct.pack(">12I", 1, 19, 3, 1, 0, 1, 0, 0xFFFF800D, 1, 0, 5, 2)


class Firebird(Server):
    """Firebird with its administrator ``SYSDBA`` and a database ``buttress.fdb``.

    Its configuration, its security database and its locks are its own. Only its log is where
    Debian has compiled it in, beside that of the system's server.
    """

    name = "firebird"
    variable = "TEST_FIREBIRD_URL"
    packages = ("firebird3.0-server",)
    user = "firebird"
    ending = signal.SIGTERM

    def program(self) -> Path | None:
        """Find it where Debian has it, together with the tool that makes databases."""
        found = Path("/usr/sbin/firebird")
        return found if found.exists() and shutil.which("isql-fb") and _library() else None

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Start it, after making the databases where there are none."""
        environ = {
            "FIREBIRD": str(place.data),
            "FIREBIRD_LOCK": str(place.data),
            "FIREBIRD_TMP": str(place.data),
            "FIREBIRD_MSG": str(_library()),
        }
        if not _database(place).exists():
            _configure(place, user)
            script = _script(place, user)
            settings = [f"{name}={value}" for name, value in environ.items()]
            place.run(["env", *settings, "isql-fb", "-q", "-b", "-i", str(script)], user)
            script.unlink()
        place.start([str(program), "-p", str(place.port)], user, environ)

    def is_ready(self, place: Place) -> bool:
        """Greet it."""
        return says(place.port, GREETING, b"\x00\x00\x00")

    def url(self, place: Place) -> str:
        """Give the URL of the database, as sqlalchemy-firebird has it."""
        address = f"SYSDBA:{place.password}@{HOST}:{place.port}"
        return f"firebird+firebird://{address}/{_database(place)}?charset=UTF8"


def _library() -> Path | None:
    """Find the folder of the messages and the character sets."""
    return next(iter(sorted(Path("/usr/lib").glob("*/firebird/3.0"))), None)


def _database(place: Place) -> Path:
    return place.data / "buttress.fdb"


def _configure(place: Place, user: str | None) -> None:
    security = place.data / "security3.fdb"
    settings = {
        "SecurityDatabase": str(security),
        "RemoteBindAddress": HOST,
        "TempDirectories": str(place.data),
        "AuthServer": "Srp",
        "UserManager": "Srp",
    }
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    _write(place.data / "firebird.conf", lines, user)
    alias = f"security.db = {security}\n{{\n  RemoteAccess = false\n}}\n"
    _write(place.data / "databases.conf", alias, user)
    (place.data / "intl").symlink_to(f"{_library()}/intl")


def _script(place: Place, user: str | None) -> Path:
    """Write what makes the security database, its administrator, and the database."""
    script = place.data / "make.sql"
    statements = (
        f"CREATE DATABASE '{place.data / 'security3.fdb'}' USER 'SYSDBA'",
        "IN /usr/share/firebird/3.0/security.sql",
        "COMMIT",
        f"CREATE USER SYSDBA PASSWORD '{place.password}' USING PLUGIN Srp",
        "COMMIT",
        f"CREATE DATABASE '{_database(place)}' USER 'SYSDBA' DEFAULT CHARACTER SET UTF8",
        "COMMIT",
    )
    _write(script, "".join(f"{it};\n" for it in statements), user)
    return script


def _write(path: Path, text: str, user: str | None) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
    if user is not None:
        shutil.chown(path, user)
