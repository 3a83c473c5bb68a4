"""Reset codes in the service's own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict
from sqlalchemy.exc import IntegrityError

from buttress.auth.resets import TRIES, Reset, Resets
from buttress.auth.statements import Statements

if TYPE_CHECKING:
    from buttress.db import Database

_FORGET = "DELETE FROM buttress_reset WHERE issued <= :before"
_ADD = """
    INSERT INTO buttress_reset (owner, slot, salt, digest, tries, issued)
    VALUES (:owner, :slot, :salt, :digest, :tries, :issued)
"""
_COUNT = "UPDATE buttress_reset SET tries = tries + 1 WHERE owner = :owner"
_TRIED = """
    SELECT owner, slot, salt, digest, tries, issued FROM buttress_reset
    WHERE owner = :owner AND issued > :after AND tries <= :most
"""
_USE = """
    UPDATE buttress_reset SET digest = ''
    WHERE owner = :owner AND slot = :slot AND digest = :digest
"""
_VOID = "UPDATE buttress_reset SET digest = '' WHERE owner = :owner"
_OLDEST = "SELECT MIN(issued) FROM buttress_reset WHERE owner = :owner"


class SqlResets(Resets):
    """Keep codes in a table, which the processes of a service share."""

    def __init__(self, database: Database) -> None:
        self._statements = Statements(database)

    def forget(self, before: int) -> None:
        """Forget old ones."""
        self._statements.run(_FORGET, {"before": before})

    def add(self, reset: Reset) -> bool:
        """Keep one."""
        try:
            self._statements.run(_ADD, asdict(reset))
        except IntegrityError:
            return False
        return True

    def tried(self, owner: str, after: float) -> list[Reset]:
        """Count a try first, so that those who try at once do not share one."""
        self._statements.run(_COUNT, {"owner": owner})
        values = {"owner": owner, "after": after, "most": TRIES}
        return [Reset(**row._asdict()) for row in self._statements.all(_TRIED, values)]

    def use(self, reset: Reset) -> bool:
        """Let one be used."""
        values = {"owner": reset.owner, "slot": reset.slot, "digest": reset.digest}
        return self._statements.run(_USE, values) == 1

    def void(self, owner: str) -> None:
        """Let the others be used up."""
        self._statements.run(_VOID, {"owner": owner})

    def oldest(self, owner: str) -> int | None:
        """Tell when the oldest was issued."""
        found: int | None = self._statements.one(_OLDEST, {"owner": owner})
        return found
