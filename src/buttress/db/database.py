"""What ``app.db`` is: a session for each request, and SQL in one line."""

from __future__ import annotations

import logging
import os
import weakref
from collections import namedtuple
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import g, has_app_context
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from buttress.db.address import in_memory, shown_name
from buttress.db.engine import (
    GONE,
    NOT_AUTOMATIC,
    for_writing,
    hot_connections,
    options_of,
    statements_engine,
    take_turns,
    wait_in_full,
    watch,
)
from buttress.db.guard import Guard
from buttress.db.lease import LEASES, Lease
from buttress.db.migrations import Migrations
from buttress.db.outage import Outage
from buttress.db.statement import Params, translator
from buttress.db.unavailable import has_old_plan, is_locked
from buttress.errors import ConfigError, TooManyRows

if TYPE_CHECKING:
    from buttress.db.settings import DbSettings
    from buttress.service import Service

logger = logging.getLogger("buttress.db")

#: Names of constraints, so that migrations can drop them on every database.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
#: Where a context keeps its session.
SESSION = "_buttress_session"
#: Kinds of rows that are remembered.
SHAPES = 1024


class Database(SQLAlchemy):
    """A database, with Flask-SQLAlchemy-Lite's interface and that of Postgres.py.

    `session` belongs to the application context: it is closed at its end, which rolls back what
    was not committed. `run`, `one` and `all` need no context; each is a transaction of its own,
    on another connection than the session's.
    """

    def __init__(self, app: Service, settings: DbSettings, url: sa.URL) -> None:
        #: The class of this application's sessions, for listeners to SQLAlchemy's events.
        self.session_class: type[Session] = type("ServiceSession", (_Session,), {})
        super().__init__(session_options={"class_": self.session_class})
        options = options_of(url, settings)
        others = _engines(app, self, url, options)
        self._default = others.pop("default")
        # Two pools, since whoever holds a connection of one and waits for a second might wait for
        # ever.
        self._statements = statements_engine(url, options)
        self._every_engine = [self._default, self._statements, *others.values()]
        self._insist = settings.at_start == "refuse"
        self.outage = Outage(shown_name(url))
        if in_memory(url):
            take_turns(self._default, settings)
        else:
            wait_in_full(self._default, settings)
        for engine in (self._default, self._statements):
            watch(engine, self.outage, settings)
        for engine in others.values():
            engine.hide_parameters = True
            watch(engine, Outage(shown_name(engine.url)), settings)
        self._hot = hot_connections(self._statements, self.outage, settings)
        self._dialect = dialect = self._statements.dialect
        self._error: type[Exception] = dialect.loaded_dbapi.Error
        #: True where whoever is interrupted leaves a connection on which the answer still comes.
        self._interruptible = dialect.name != "sqlite"
        #: True where the driver cannot commit each statement by itself.
        self._commits = url.get_backend_name() in NOT_AUTOMATIC
        backslash = dialect.name in ("mysql", "mariadb")
        self._translate = translator(dialect.paramstyle, backslash=backslash)
        #: The base class of this application's models.
        self.Model = _model()
        self.migrations = Migrations(self.engine, settings.migrate_timeout)
        policy = settings.migrate or ("upgrade" if dialect.name == "sqlite" else "check")
        self.guard = Guard(self, policy, settings.retry_after)
        _forget_in_forks(self)

    @property
    def engine(self) -> sa.Engine:
        """Give the engine of the sessions; it needs no context."""
        return self._default

    @property
    def url(self) -> sa.URL:
        """Give the address, which shows no password unless asked."""
        return self._default.url

    @property
    def session(self) -> Session:
        """Give the session of this application context, begun when it is first used.

        Raises `RuntimeError` outside of a context.
        """
        session = super().session
        setattr(g, SESSION, session)
        return session

    def current_session(self) -> Session | None:
        """Give the session of this context where it has been asked for already, else ``None``."""
        return g.get(SESSION) if has_app_context() else None

    def run(self, sql: str, params: Params | None = None) -> int:
        """Execute a statement and commit it; give the number of rows that it touched.

        ``params`` fills ``:name`` or ``%(name)s``, whatever the database is. Raises `ValueError`
        where one is missing, and SQLAlchemy's errors.
        """
        count: int = self._execute(sql, params, _row_count)
        return count

    def one(self, sql: str, params: Params | None = None) -> Any:
        """Give the one row of a query as a named tuple, of a single column its value.

        ``None`` where there is no row. Raises `TooManyRows` where there are several, and what
        `run` raises.
        """
        rows = self._execute(sql, params, _first_two)
        if len(rows) > 1:
            raise TooManyRows(f"one() found more than one row: use all(), or a LIMIT: {sql}")
        return rows[0] if rows else None

    def all(self, sql: str, params: Params | None = None) -> list[Any]:
        """Give all rows of a query as named tuples, of a single column their values.

        Raises what `run` raises.
        """
        rows: list[Any] = self._execute(sql, params, _every)
        return rows

    def lease(self, name: str, seconds: float) -> Lease:
        """Make a lease: what holds its name is one in the cluster, for so many seconds.

        Whoever makes leases says so at build, by `need_leases`. Raises `ValueError` for a name
        that is empty or too long, and for no time.
        """
        return Lease(self, name, seconds)

    def need_leases(self) -> None:
        """Add the table of leases to the migrations; an extension calls this when it is built.

        Raises `ConfigError` where the database has no leases.
        """
        if self._commits:
            raise ConfigError([f"DB_URL names {self._dialect.name}, which has no leases."])
        if LEASES not in self.migrations.locations:
            self.migrations.locations.append(LEASES)

    def ping(self) -> None:
        """Ask for an answer; raises SQLAlchemy's error where there is none."""
        self._execute("", None, self._answers)

    def start(self) -> None:
        """Make sure that the database is as it must be, or hold requests off until it is.

        Raises what a migration raises.
        """
        self.guard.start(insist=self._insist)

    def load(self) -> dict[str, int]:
        """Count the connections that are in use, of sessions and of statements."""
        count = getattr(self._default.pool, "checkedout", lambda: 0)
        return {"sessions": count(), "statements": self._hot.in_use}

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        self._hot.close()
        for engine in self._every_engine:
            engine.dispose()

    def forget_connections(self) -> None:
        """Leave the connections to the process that this one was forked from."""
        self._hot.forget()
        for engine in self._every_engine:
            engine.dispose(close=False)

    def _execute(self, sql: str, params: Params | None, result: Callable[[Any], Any]) -> Any:
        statement = self._translate(sql)
        values = statement.bound(params)
        connection = cursor = None
        try:
            connection = self._hot.take()
            cursor = connection.cursor()
            try:
                _send(cursor, statement.sql, values)
            except self._error as error:
                if not has_old_plan(error):
                    raise
                cursor.execute("DEALLOCATE ALL")  # and psycopg forgets what it has prepared
                _send(cursor, statement.sql, values)
            found = result(cursor)
            cursor.close()
            if self._commits:
                connection.commit()
        except self._error as error:
            raise self._wrapped(error, sql, connection, cursor) from error
        except BaseException as error:
            if connection is not None and self._interruptible and not isinstance(error, Exception):
                connection.invalidate(error)  # the answer may still be on its way
            elif cursor is not None:
                cursor.close()
            raise
        else:
            return found
        finally:
            if connection is not None:
                self._hot.give(connection)

    def _wrapped(self, error: Any, sql: str, connection: Any, cursor: Any) -> BaseException:
        """Make SQLAlchemy's error of the driver's, and note where the connection is lost."""
        driver = None if connection is None else connection.dbapi_connection
        _tell_of_own_lock(error, self.current_session())
        lost = self._dialect.is_disconnect(error, driver, cursor)
        if lost:
            self.outage.begin(error)
            if driver is not None:
                connection.invalidate(error)
        elif cursor is not None:
            cursor.close()  # else SQLite's goes on reading for as long as the error is kept
        made: BaseException = DBAPIError.instance(
            sql,
            None,
            error,
            self._error,
            connection_invalidated=lost,
            dialect=self._dialect,
        )
        if connection is None:
            setattr(made, GONE, True)
        return made

    def _answers(self, cursor: Any) -> None:
        if not self._dialect.do_ping(cursor.connection):
            raise self._dialect.loaded_dbapi.OperationalError("no answer to a ping")


class _Session(Session):
    def close(self) -> None:
        """Close it; a transaction on a connection that is lost has ended already."""
        try:
            super().close()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            self.invalidate()


def _forget_in_forks(database: Database) -> None:
    """Let no process use the connections of the one that it was forked from."""
    forget = weakref.WeakMethod(database.forget_connections)

    def forked() -> None:
        found = forget()
        if found is not None:
            found()

    os.register_at_fork(after_in_child=forked)


def _engines(
    app: Service, database: SQLAlchemy, url: sa.URL, options: dict[str, Any]
) -> dict[str, sa.Engine]:
    """Make the engine of the sessions, and those that the application names itself."""
    named = dict(app.config.get("SQLALCHEMY_ENGINES", {}))
    if "default" in named:
        raise ConfigError(["SQLALCHEMY_ENGINES has a 'default': set DB_URL instead."])
    app.config["SQLALCHEMY_ENGINES"] = {**named, "default": {"url": url, **options}}
    database.init_app(app)
    _drop_async_teardown(app)
    with app.app_context():
        default = database.get_engine()
        database.sessionmaker.configure(bind=for_writing(default))
        return dict(database.engines)


def _drop_async_teardown(app: Service) -> None:
    """Spare every request an event loop that would close sessions which nobody can have opened."""
    if not app.config.get("SQLALCHEMY_ASYNC_ENGINES"):
        hooks = app.teardown_appcontext_funcs
        for hook in [hook for hook in hooks if hook.__name__ == "_close_async_sessions"]:
            hooks.remove(hook)


def _model() -> type[DeclarativeBase]:
    class Model(DeclarativeBase):
        """The base class of an application's models."""

        metadata = sa.MetaData(naming_convention=NAMING)

    return Model


def _tell_of_own_lock(error: Any, session: Session | None) -> None:
    """Say who may hold the lock of SQLite that a statement has waited for in vain."""
    if session is not None and session.in_transaction() and is_locked(error):
        logger.warning(
            "A statement found SQLite locked while the session of its own context is in a "
            "transaction: commit that before, or execute the statement by the session."
        )


def _send(cursor: Any, sql: str, values: Any) -> None:
    if values is not None:
        cursor.execute(sql, values)
    elif sql:
        cursor.execute(sql)


def _row_count(cursor: Any) -> int:
    return max(0, int(cursor.rowcount))  # of a change of tables it is -1


def _first_two(cursor: Any) -> list[Any]:
    columns = cursor.description
    return [] if columns is None else _shaped(columns, cursor.fetchmany(2))


def _every(cursor: Any) -> list[Any]:
    columns = cursor.description
    return [] if columns is None else _shaped(columns, cursor.fetchall())


def _shaped(columns: Any, rows: list[Any]) -> list[Any]:
    if len(columns) == 1:
        return [row[0] for row in rows]
    make = _shape(tuple(column[0] for column in columns))
    return [make(row) for row in rows]


@lru_cache(SHAPES)
def _shape(names: tuple[str, ...]) -> Callable[[Any], Any]:
    """Give what makes named tuples of rows; a column whose name is no word is ``_<place>``."""
    row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # known only at run time
    make: Callable[[Any], Any] = row._make
    return make
