"""Attempts in the service's own database, one row for each key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from buttress.auth.attempts import WINDOW, Count, Pace, next_count
from buttress.auth.statements import Statements
from buttress.errors import Unavailable

if TYPE_CHECKING:
    from buttress.db import Database

#: How often a change is tried anew after others' changes; each of those has let one pass.
TRIES = 50

_FIND = "SELECT number, since, after FROM buttress_attempt WHERE counted = :key"
_ADD = """
    INSERT INTO buttress_attempt (counted, number, since, after)
    VALUES (:key, :number, :since, :after)
"""
# Only what nobody has changed meanwhile; times are not compared to the last digit.
_CHANGE = """
    UPDATE buttress_attempt SET number = :number, since = :since, after = :after
    WHERE counted = :key AND number = :old
        AND since BETWEEN :old_since - 0.001 AND :old_since + 0.001
"""
_GIVE_BACK = """
    UPDATE buttress_attempt SET number = number - 1, after = 0 WHERE counted = :key AND number > 0
"""
_FORGET = "DELETE FROM buttress_attempt WHERE since <= :begin"


class SqlAttempts:
    """Count attempts in a table, so that all processes count together.

    Each statement is a transaction of its own, and no row is locked while somebody waits.
    """

    def __init__(self, database: Database) -> None:
        self._statements = Statements(database)

    def take(self, key: str, pace: Pace, now: float) -> float:
        """Count an attempt, or give the seconds to wait."""
        for _ in range(TRIES):
            row = self._statements.one(_FIND, {"key": key})
            known = None if row is None else Count(row.number, row.since, row.after)
            count, wait = next_count(known, pace, now)
            if wait > 0 or self._kept(key, known, count):
                return wait
        raise Unavailable("Too many logins at once.", retry_after=1)

    def give_back(self, key: str) -> None:
        """Take back the latest attempt and its pause."""
        self._statements.run(_GIVE_BACK, {"key": key})

    def forget(self, now: float) -> int:
        """Forget what is too old."""
        return self._statements.run(_FORGET, {"begin": now - WINDOW})

    def _kept(self, key: str, known: Count | None, count: Count) -> bool:
        """Keep a count, unless another process has changed what is known."""
        values = {"key": key, "number": count.number, "since": count.since, "after": count.after}
        if known is not None:
            values |= {"old": known.number, "old_since": known.since}
            return self._statements.run(_CHANGE, values) == 1
        try:
            return self._statements.run(_ADD, values) == 1
        except IntegrityError:  # another process has made the row at this moment
            return False
