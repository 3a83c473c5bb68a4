"""MariaDB."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tools.services.place import HOST, Place, says
from tools.services.server import Server


class MariaDB(Server):
    """MariaDB with a user ``buttress`` who may do everything, and a database of that name."""

    name = "mariadb"
    variable = "TEST_MARIADB_URL"
    packages = ("mariadb-server",)
    user = "mysql"
    ending = signal.SIGTERM

    def program(self) -> Path | None:
        """Find it on the path, or where Debian has it."""
        found = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        return None if found is None else Path(found)

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Make the system tables and start it."""
        place.run(
            [
                *("mariadb-install-db", "--no-defaults", f"--datadir={place.data}"),
                *("--auth-root-authentication-method=normal", "--skip-test-db"),
            ],
            user,
        )
        first = place.folder / "first.sql"
        first.touch(mode=0o600)
        first.write_text(
            "CREATE DATABASE buttress;\n"
            f"CREATE USER buttress@'{HOST}' IDENTIFIED BY '{place.password}';\n"
            f"GRANT ALL ON *.* TO buttress@'{HOST}' WITH GRANT OPTION;\n"
            "DELETE FROM mysql.global_priv WHERE User IN ('root', '');\nFLUSH PRIVILEGES;\n"
        )
        if user is not None:
            shutil.chown(first, user)
        place.start(
            [
                *(str(program), "--no-defaults", f"--datadir={place.data}"),
                *(f"--bind-address={HOST}", f"--port={place.port}", "--skip-name-resolve"),
                *(f"--socket={place.folder}/socket", f"--pid-file={place.folder}/pid"),
                *(f"--init-file={first}", "--innodb-flush-log-at-trx-commit=0"),
            ],
            user,
        )

    def is_ready(self, place: Place) -> bool:
        """Read its greeting, which has its name."""
        return says(place.port, b"", b"MariaDB")

    def url(self, place: Place) -> str:
        """Give the URL of the database."""
        return f"mysql://buttress:{place.password}@{HOST}:{place.port}/buttress"
