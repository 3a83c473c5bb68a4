"""The guard: a worker takes no request before its database is there and its schema is current."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from sqlalchemy.exc import SQLAlchemyError

from buttress.db.address import shown_name
from buttress.db.unavailable import is_gone
from buttress.errors import SetupError, Unavailable
from buttress.lifecycle import Deadline
from buttress.loop import Loop

if TYPE_CHECKING:
    from buttress.db.database import Database

logger = logging.getLogger("buttress.db")

#: Seconds between two looks whether the database is as it must be.
LOOK_EVERY = 0.5
UNREACHABLE = "The database does not answer."
FAILED = "The database cannot be brought up to date: the log says why."

Policy = Literal["upgrade", "check", "off"]


class Guard:
    """Hold requests off, with 503, until all is well; then never look again."""

    def __init__(self, database: Database, policy: Policy, retry_after: int) -> None:
        self._database = database
        self._policy = policy
        self._retry_after = retry_after
        self._loop: Loop | None = None
        #: What stands in the way; ``None`` once all is well.
        self.obstacle: str | None = None

    def refuse(self) -> None:
        """Raise `Unavailable` while something stands in the way; a hook before each request.

        What that is, the probes say; it is not for whoever asks.
        """
        if self.obstacle is not None:
            raise Unavailable("The database is not ready.", retry_after=self._retry_after)

    def start(self, *, insist: bool) -> None:
        """Look, and where something is in the way look again and again, in a thread.

        Raises what a migration raises, and `SetupError` for a database that does not answer where
        the settings insist on it.
        """
        try:
            self._settle()
        except SQLAlchemyError as error:
            if not is_gone(error):
                raise
            if insist:
                name = shown_name(self._database.url)
                raise SetupError(f"DB_AT_START=refuse: {name} does not answer.") from error
            self.obstacle = UNREACHABLE
        if self.obstacle is not None:
            self._loop = Loop("db-guard", self._step)
            self._loop.start()

    def close(self) -> None:
        """Look no more."""
        if self._loop is not None:
            self._loop.stop()
            self._loop.join(Deadline(LOOK_EVERY))

    def _step(self) -> float:
        try:
            self._settle()
        except Exception as error:
            self.obstacle = UNREACHABLE if is_gone(error) else FAILED
            if not is_gone(error):
                raise
        if self.obstacle is None and self._loop is not None:
            logger.info("The database is as it must be: requests are welcome")
            self._loop.stop()
        return LOOK_EVERY

    def _settle(self) -> None:
        self._database.ping()
        behind = self._database.migrations.behind() if self._policy != "off" else []
        if behind and self._policy == "upgrade":
            for name in behind:
                self._database.migrations.upgrade(name)
            behind = self._database.migrations.behind()
        sentence = _behind(behind) if behind else None
        if sentence is not None and sentence != self.obstacle:
            logger.error("%s", sentence)
        self.obstacle = sentence


def _behind(names: list[str]) -> str:
    return f"The database lacks migrations ({', '.join(names)}): run `buttress db upgrade`."
