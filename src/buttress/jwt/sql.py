"""The deny-list of all processes of a service, in its database."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from buttress.db import Location, epoch
from buttress.errors import Unavailable
from buttress.jwt.memory import MemoryDenied

if TYPE_CHECKING:
    from buttress.db import Database

logger = logging.getLogger("buttress.jwt")

#: The migrations of the table.
DENIED = Location("jwt", Path(__file__).with_name("versions"), "buttress_jwt_version")
#: Seconds after which a process looks what others have added.
WITHIN = 5.0
#: Seconds for which nobody tries again after a failure.
PAUSE = 1.0
#: Seconds that an addition may take from the moment that it bears until it is seen.
OVERLAP = 60.0
#: Seconds between two removals of what has ended, and how long that is kept for slow clocks.
TIDY = 3600.0

_LOOK = "SELECT id, until, noted FROM buttress_jwt_denied WHERE noted > :since AND until > :now"
_ADD = "INSERT INTO buttress_jwt_denied (id, until, noted) VALUES (:id, :until, {now})"
_TIDY = "DELETE FROM buttress_jwt_denied WHERE until < :before"


class SqlDenied:
    """Keep the ids in a database, and those of all processes in this one's memory.

    A request looks into the memory; the first one after `WITHIN` seconds brings it up to date.
    """

    shared = True

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._stopwatch = stopwatch
        self._here = MemoryDenied(clock)
        self._lock = Lock()
        #: When it was looked last, by the database's clock, which may be set back.
        self._seen = 0.0
        self._looked = self._failed = self._tidied = -TIDY

    def add(self, identity: str, until: float) -> bool:
        """Refuse an id until then, in every process; false where it is refused already.

        Raises `Unavailable` where the database does not take it.
        """
        try:
            self._tidy()
            self._database.run(_ADD.format(now=self._now), {"id": identity, "until": until})
        except IntegrityError:
            return self._here.add(identity, until) and False
        except SQLAlchemyError as error:
            raise Unavailable("Tokens cannot be revoked at the moment.") from error
        self._here.add(identity, until)
        return True

    def has(self, *identities: str) -> bool:
        """Tell whether one of these is refused. Raises `Unavailable` where that is not known."""
        if self._stopwatch() - self._looked >= WITHIN:
            with self._lock:
                if self._stopwatch() - self._looked >= WITHIN:
                    self._look()
        return self._here.has(*identities)

    def _look(self) -> None:
        began = self._stopwatch()
        if began - self._failed < PAUSE:
            raise Unavailable("It is not known which tokens are revoked.")
        since = {"since": self._seen - OVERLAP, "now": self._clock()}
        try:
            now = float(self._database.one(f"SELECT {self._now}"))
            rows = self._database.all(_LOOK, since)
        except SQLAlchemyError as error:
            self._failed = self._stopwatch()
            logger.exception("it is not known which tokens are revoked")
            raise Unavailable("It is not known which tokens are revoked.") from error
        for row in rows:
            self._here.add(row.id, row.until)
        self._seen, self._looked = now, began

    @property
    def _now(self) -> str:
        dialect = self._database.engine.dialect
        return str(epoch(dialect).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))

    def _tidy(self) -> None:
        if self._stopwatch() - self._tidied >= TIDY:
            self._tidied = self._stopwatch()
            self._database.run(_TIDY, {"before": self._clock() - TIDY})
