"""Tokens in the service's own database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from buttress.auth.statements import Statements
from buttress.auth.tokens import Token

if TYPE_CHECKING:
    from buttress.db import Database

_ADD = """
    INSERT INTO buttress_token
        (id, kind, owner, owner_id, revision, label, scopes, digest, created, expires, used)
    VALUES
        (:id, :kind, :owner, :owner_id, :revision, :label, :scopes, :digest, :created, :expires,
        :used)
"""
_FIND = """
    SELECT id, kind, owner, owner_id, revision, label, scopes, digest, created, expires, used
    FROM buttress_token WHERE id = :id
"""
_LIST = """
    SELECT id, kind, owner, owner_id, revision, label, scopes, digest, created, expires, used
    FROM buttress_token WHERE owner_id = :owner_id AND kind = :kind ORDER BY created DESC, id
"""
_REMOVE = "DELETE FROM buttress_token WHERE id = :id"
_REMOVE_ALL = "DELETE FROM buttress_token WHERE owner_id = :owner_id"
_TOUCH = "UPDATE buttress_token SET used = :now WHERE id = :id"
_FORGET = "DELETE FROM buttress_token WHERE expires <= :now"


class SqlTokens:
    """Keep tokens in a table; what is written is committed at once, whatever the session does."""

    def __init__(self, database: Database) -> None:
        self._statements = Statements(database)

    def add(self, token: Token) -> None:
        """Keep a new token."""
        scopes = None if token.scopes is None else " ".join(sorted(token.scopes))
        self._statements.run(_ADD, {**asdict(token), "scopes": scopes})

    def get(self, token_id: str) -> Token | None:
        """Find a token by its id."""
        row = self._statements.one(_FIND, {"id": token_id})
        return None if row is None else _token(row)

    def of(self, owner_id: str, kind: str) -> list[Token]:
        """List the tokens of a user."""
        rows = self._statements.all(_LIST, {"owner_id": owner_id, "kind": kind})
        return [_token(row) for row in rows]

    def remove(self, token_id: str, owner_id: str | None = None) -> bool:
        """Remove a token."""
        mine = "" if owner_id is None else " AND owner_id = :owner_id"
        return self._statements.run(_REMOVE + mine, {"id": token_id, "owner_id": owner_id}) > 0

    def remove_all(self, owner_id: str, kind: str | None = None) -> int:
        """Remove the tokens of a user."""
        of_kind = "" if kind is None else " AND kind = :kind"
        return self._statements.run(_REMOVE_ALL + of_kind, {"owner_id": owner_id, "kind": kind})

    def touch(self, token_id: str, now: float) -> None:
        """Note that it was used."""
        self._statements.run(_TOUCH, {"id": token_id, "now": now})

    def forget(self, now: float) -> int:
        """Remove those that have expired."""
        return self._statements.run(_FORGET, {"now": now})


def _token(row: Any) -> Token:
    kept = None if row.scopes is None else frozenset(row.scopes.split())
    return Token(**{**row._asdict(), "scopes": kept})
