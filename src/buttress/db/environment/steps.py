"""The steps of a migration: a lock in the database, then what Alembic has to run."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any
from zlib import crc32

import sqlalchemy as sa

from buttress.backoff import pauses
from buttress.db.engine import set_limit
from buttress.db.firebird import commit_tables
from buttress.db.migrations import OWN_PREFIX
from buttress.errors import Unavailable
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
    with context.begin_transaction():
        context.run_migrations()


def _configure(context: EnvironmentContext, location: Location, connection: sa.Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    options: dict[str, Any] = {"transactional_ddl": True} if sqlite else {}
    context.configure(
        connection=connection,
        target_metadata=list(location.metadata),
        version_table=location.version_table,
        render_as_batch=sqlite,
        include_name=_is_the_application_s,
        on_version_apply=_tell,
        **options,
    )


def _is_the_application_s(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or not (name or "").startswith((OWN_PREFIX, "alembic_version"))


def _tell(*_: Any, **told: Any) -> None:
    step = told["step"]
    way = "Upgraded" if step.is_upgrade else "Downgraded"
    revision = step.up_revision
    logger.info("%s the database: %s, %s", way, revision.revision, revision.doc)


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
    sql = _LOCKS.get(connection.dialect.name)
    if sql is None:
        return
    key = crc32(f"buttress:{connection.engine.url.database}:{name}".encode())
    deadline = Deadline(timeout)
    for pause in pauses(0.02, 0.3):
        with connection.begin():
            taken = connection.exec_driver_sql(sql, {"key": key}).scalar()
        if taken:
            return
        if deadline.passed:
            raise Unavailable(f"Another process migrates for more than {timeout:g} s.")
        time.sleep(pause)
