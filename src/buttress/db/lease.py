"""Leases: a name that one holder in the cluster has at a time, for so many seconds."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from buttress.db.clock import CLOCKS
from buttress.db.migrations import Location

if TYPE_CHECKING:
    from buttress.db.database import Database

#: The migrations of the table of leases.
LEASES = Location("db", Path(__file__).with_name("versions"), "buttress_db_version")
#: Longest name, in characters.
NAME_LENGTH = 200

_LOOK = """
    SELECT CASE WHEN until < {now} OR holder = :holder THEN 1 ELSE 0 END
    FROM buttress_lease WHERE name = :name
"""
_TAKE = """
    UPDATE buttress_lease SET holder = :holder, until = {until}
    WHERE name = :name AND (until < {now} OR holder = :holder)
"""
_MAKE = """
    INSERT INTO buttress_lease (name, holder, until) VALUES (:name, :holder, {until})
"""
_RENEW = """
    UPDATE buttress_lease SET until = {until} WHERE name = :name AND holder = :holder
"""
_RELEASE = """
    UPDATE buttress_lease SET until = 0, holder = '' WHERE name = :name AND holder = :holder
"""


class Lease:
    """A name in the database that one process holds, until it releases it or its time ends.

    The time is that of the database server; on SQLite, which is on one host, that of the host. As
    a context manager it tells whether it was to be had, and is released at the end. Each method
    raises SQLAlchemy's errors.
    """

    def __init__(self, database: Database, name: str, seconds: float) -> None:
        if not 0 < len(name) <= NAME_LENGTH:
            raise ValueError(f"lease({name!r}): a name has 1 to {NAME_LENGTH} characters.")
        if seconds <= 0:
            raise ValueError(f"lease({name!r}, {seconds!r}): give more than 0 seconds.")
        self.name = name
        self.seconds = seconds
        self._database = database
        self._holder = secrets.token_hex(16)
        clock = CLOCKS.get(database.url.get_backend_name())
        self._times = {
            "now": clock or ":now",
            "until": f"{clock} + :seconds" if clock else ":until",
        }

    def acquire(self) -> bool:
        """Take it where it is free, and tell whether it is held now; never waits for others."""
        free = self._database.one(self._sql(_LOOK), self._values())
        if free is not None:
            return bool(free) and self._changes(_TAKE)
        try:
            return self._changes(_MAKE)
        except IntegrityError:  # another made it in between
            return False

    def renew(self) -> bool:
        """Let its time begin anew; false where another has had it since."""
        return self._changes(_RENEW)

    def release(self) -> None:
        """Give it back; does nothing where it is not held."""
        self._changes(_RELEASE)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _changes(self, sql: str) -> bool:
        return self._database.run(self._sql(sql), self._values()) == 1

    def _sql(self, sql: str) -> str:
        return sql.format(**self._times)

    def _values(self) -> dict[str, Any]:
        now = time.time()
        times = {"seconds": self.seconds, "now": now, "until": now + self.seconds}
        return {"name": self.name, "holder": self._holder, **times}
