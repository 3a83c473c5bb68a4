"""The clock that all processes of a service share: the database's."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

#: What the time is by the clock of a database server, in seconds since 1970.
CLOCKS = {
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
    # Without an argument it is right in the hour that the end of summer time repeats too.
    "mysql": "(UNIX_TIMESTAMP() + MICROSECOND(NOW(6)) / 1e6)",
}
CLOCKS["mariadb"] = CLOCKS["mysql"]


def epoch(dialect: sa.Dialect) -> sa.ColumnElement[Any]:
    """Give an expression for the seconds since 1970 by the database's clock.

    SQLite has none of its own: it is the clock of its host, read now.
    """
    written = CLOCKS.get(dialect.name)
    if written is None:
        return sa.literal(time.time(), sa.Double)
    return sa.literal_column(written, sa.Double)
