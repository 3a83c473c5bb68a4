"""The steps of a migration: a lock in the database, then what Alembic has to run."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zlib import crc32

import sqlalchemy as sa

from buttress.backoff import pauses
from buttress.db.engine import set_limit
from buttress.db.firebird import commit_tables
from buttress.db.migrations import ANOTHER
from buttress.db.ownership import OwnTables
from buttress.errors import SetupError
from buttress.lifecycle import Deadline

if TYPE_CHECKING:
    from alembic.runtime.environment import EnvironmentContext

    from buttress.db.migrations import Location

logger = logging.getLogger("buttress.db")

#: Locks that last until the connection is closed, whatever a migration commits in between. They
#: are asked for again and again: who waits in the database would hold up an index that is built
#: concurrently. SQLite has one writer anyway.
_LOCKS = {
    "postgresql": "SELECT pg_try_advisory_lock(%(key)s)",
    "mysql": "SELECT GET_LOCK(CONCAT('buttress:', %(key)s), 0)",
}
_LOCKS["mariadb"] = _LOCKS["mysql"]


def run(context: Any) -> None:
    """Do what the command that Alembic carries out asks for."""
    attributes = context.config.attributes
    location, connection = attributes["location"], attributes["connection"]
    _prepare(connection, attributes["timeout"])
    commit_tables(connection)
    _configure(context, location, connection)
    _lock(connection, location.version_table, attributes["timeout"])
    with _without_foreign_keys(connection), context.begin_transaction():
        before = _orphans(connection)
        context.run_migrations()
        _refuse_more_orphans(connection, before)


def _configure(context: EnvironmentContext, location: Location, connection: sa.Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    options: dict[str, Any] = {"transactional_ddl": True} if sqlite else {}
    own = OwnTables(location.versions)
    context.configure(
        connection=connection,
        target_metadata=list(location.metadata),
        version_table=location.version_table,
        render_as_batch=sqlite,
        include_object=own.include,
        on_version_apply=_tell,
        **options,
    )


def _tell(*_: Any, **told: Any) -> None:
    step = told["step"]
    way = "Upgraded" if step.is_upgrade else "Downgraded"
    revision = step.up_revision
    name = ", ".join(filter(None, (revision.revision, revision.doc)))
    logger.info("%s the database: %s", way, name)


def _prepare(connection: sa.Connection, timeout: float) -> None:
    """Let the connection, which nobody uses afterwards, wait long and work without limit."""
    driver: Any = connection.connection.dbapi_connection
    milliseconds = round(timeout * 1000)
    statements = {
        "sqlite": [f"PRAGMA busy_timeout = {milliseconds}"],
        "postgresql": [f"SET lock_timeout = {milliseconds}"],
    }
    set_limit(driver, connection.dialect.name, 0)
    cursor = driver.cursor()
    for statement in statements.get(connection.dialect.name, []):
        cursor.execute(statement)
    cursor.close()
    connection.dialect.do_commit(connection.connection)


def _lock(connection: sa.Connection, name: str, timeout: float) -> None:
    """Wait until no other process migrates; closing the connection lets the next one begin."""
    dialect = connection.dialect.name
    sql = _LOCKS.get(dialect)
    if sql is None:
        if dialect != "sqlite":
            logger.warning("%s has no lock for migrations: let no other process migrate", dialect)
        return
    key = crc32(f"buttress:{connection.engine.url.database}:{name}".encode())
    deadline = Deadline(timeout)
    for pause in pauses(0.02, 0.3):
        with connection.begin():
            taken = connection.exec_driver_sql(sql, {"key": key}).scalar()
        if taken:
            return
        if deadline.passed:
            raise SetupError(ANOTHER.format(timeout))
        time.sleep(pause)


@contextmanager
def _without_foreign_keys(connection: sa.Connection) -> Iterator[None]:
    """Let SQLite make a table anew, which drops the old one and would delete what refers to it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _orphans(connection: sa.Connection) -> Counter[str] | None:
    """Count the rows on SQLite that refer to none, by table; ``None`` where that cannot be told."""
    if connection.dialect.name != "sqlite":
        return None
    try:
        found = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    except sa.exc.OperationalError:  # a table refers to columns that are no key
        return None
    return Counter(row[0] for row in found)


def _refuse_more_orphans(connection: sa.Connection, before: Counter[str] | None) -> None:
    after = _orphans(connection)
    if before is None or after is None:
        return
    rows = ", ".join(f"{count} of {table}" for table, count in (after - before).items())
    if rows:
        raise SetupError(
            f"The migrations leave rows that refer to none ({rows}): delete or change those too; "
            "foreign keys do not act while SQLite migrates."
        )
