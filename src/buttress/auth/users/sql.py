"""Users in the service's own database."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from msgspec.structs import asdict
from sqlalchemy.exc import IntegrityError

from buttress.auth.passwords import Passwords
from buttress.auth.statements import Statements
from buttress.auth.users.accounts import Account, Accounts

if TYPE_CHECKING:
    from buttress.db import Database

_FIND = """
    SELECT id, name, email, roles, active, revision, password, created, changed
    FROM buttress_user WHERE name = :name
"""
_LIST = """
    SELECT id, name, email, roles, active, revision, password, created, changed
    FROM buttress_user ORDER BY name LIMIT :limit
"""
_ADD = """
    INSERT INTO buttress_user
        (id, name, email, roles, active, revision, password, created, changed)
    VALUES
        (:id, :name, :email, :roles, :active, :revision, :password, :created, :changed)
"""
_REMOVE = "DELETE FROM buttress_user WHERE name = :name"


class SqlUsers(Accounts):
    """Keep users in a table; what is written is committed at once, whatever the session does."""

    name = "sql"

    def __init__(
        self, database: Database, passwords: Passwords, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(passwords, now)
        self._statements = Statements(database)

    def ping(self) -> None:
        """Ask the database for an answer."""
        self._statements.ping()

    def close(self) -> None:
        """Leave the connections to the database."""

    def _find(self, name: str) -> Account | None:
        row = self._statements.one(_FIND, {"name": name})
        return None if row is None else _account(row)

    def _add(self, account: Account) -> bool:
        try:
            self._statements.run(_ADD, _columns(asdict(account)))
        except IntegrityError:
            return False
        return True

    def _change(
        self,
        account: Account,
        values: Mapping[str, Any],
        *,
        revise: bool = False,
        only: Mapping[str, Any] | None = None,
    ) -> bool:
        changes = [f"{name} = :{name}" for name in values]
        if revise:
            changes.append("revision = revision + 1")
        held = {f"old_{name}": value for name, value in (only or {}).items()}
        where = ["id = :id", *(f"{name} = :old_{name}" for name in only or ())]
        # The names are those of the columns, never anybody's input.
        sql = f"UPDATE buttress_user SET {', '.join(changes)} WHERE {' AND '.join(where)}"  # noqa: S608
        return self._statements.run(sql, {"id": account.id, **_columns(values), **held}) == 1

    def _remove(self, name: str) -> bool:
        return self._statements.run(_REMOVE, {"name": name}) == 1

    def _list(self, limit: int) -> list[Account]:
        return [_account(row) for row in self._statements.all(_LIST, {"limit": limit})]


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values as the columns have them."""
    columns = dict(values)
    if "roles" in columns:
        columns["roles"] = orjson.dumps(sorted(columns["roles"])).decode()
    return columns


def _account(row: Any) -> Account:
    values = row._asdict()
    roles, active = frozenset(orjson.loads(row.roles)), bool(row.active)
    return Account(**{**values, "roles": roles, "active": active})
