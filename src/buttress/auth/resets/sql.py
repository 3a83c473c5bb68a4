"""Reset codes in the service's own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict
from sqlalchemy.exc import IntegrityError

from buttress.auth.resets import Reset, Resets
from buttress.auth.statements import Statements

if TYPE_CHECKING:
    from buttress.db import Database

_FORGET = "DELETE FROM buttress_reset WHERE issued <= :before"
_ADD = """
    INSERT INTO buttress_reset (owner, slot, salt, digest, issued)
    VALUES (:owner, :slot, :salt, :digest, :issued)
"""
_REMOVE = """
    DELETE FROM buttress_reset WHERE owner = :owner AND slot = :slot AND digest = :digest
"""
_HELD = """
    SELECT owner, slot, salt, digest, issued FROM buttress_reset
    WHERE owner = :owner AND issued > :after
"""
_USE = """
    UPDATE buttress_reset SET digest = ''
    WHERE owner = :owner AND slot = :slot AND digest = :digest
"""
# The salt tells it from another code that has come into its slot.
_RESTORE = """
    UPDATE buttress_reset SET digest = :digest
    WHERE owner = :owner AND slot = :slot AND salt = :salt
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

    def remove(self, reset: Reset) -> None:
        """Let there never have been one."""
        self._statements.run(_REMOVE, asdict(reset))

    def held(self, owner: str, after: float) -> list[Reset]:
        """Give those of an owner."""
        rows = self._statements.all(_HELD, {"owner": owner, "after": after})
        return [Reset(**row._asdict()) for row in rows]

    def use(self, reset: Reset) -> bool:
        """Let one be used."""
        return self._statements.run(_USE, asdict(reset)) == 1

    def restore(self, reset: Reset) -> None:
        """Let one hold again."""
        self._statements.run(_RESTORE, asdict(reset))

    def void(self, owner: str) -> None:
        """Let the others be used up."""
        self._statements.run(_VOID, {"owner": owner})

    def oldest(self, owner: str) -> int | None:
        """Tell when the oldest was issued."""
        found: int | None = self._statements.one(_OLDEST, {"owner": owner})
        return found
