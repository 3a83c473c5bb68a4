"""Firebird: what its dialect for SQLAlchemy has wrong, and what Alembic does not know of it."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from alembic.ddl.impl import DefaultImpl
from sqlalchemy import event

_changes_tables = re.compile(r"\s*(?:RE)?(?:CREATE|ALTER|DROP)\b", re.IGNORECASE).match


class FirebirdImpl(DefaultImpl):
    """Name the dialect to Alembic; a change of tables cannot be taken back."""

    __dialect__ = "firebird.firebird"
    transactional_ddl = False


def mend(dialect: sa.Dialect) -> None:
    """Give up a connection by closing it; the dialect calls what its driver does not have."""
    if dialect.name == FirebirdImpl.__dialect__:
        dialect.do_terminate = dialect.do_close  # type: ignore[method-assign]  # see above


def commit_tables(connection: sa.Connection) -> None:
    """Commit each change of tables on this connection; no statement sees it before."""

    def commit(_connection: Any, cursor: Any, sql: str, *_: Any) -> None:
        if _changes_tables(sql):
            cursor.connection.commit()

    if connection.dialect.name == FirebirdImpl.__dialect__:
        event.listen(connection, "after_cursor_execute", commit)
