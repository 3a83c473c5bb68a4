"""Engines: how connections are made, prepared, tried before use, and given up."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import has_request_context, request
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError, OperationalError

from buttress.backoff import pauses
from buttress.db.address import in_memory
from buttress.db.firebird import mend
from buttress.db.hot import HotConnections
from buttress.db.outage import Down, Outage
from buttress.db.transport import PYMYSQL, defaults, encryption, watch_silence
from buttress.web import current_deadline

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext

    from buttress.db.settings import DbSettings

Options = dict[str, Any]

#: Where a connection's record notes when it was last used, and for how long its statements may run.
USED, LIMIT = "buttress.used", "buttress.limit"
#: Option of an engine whose transactions write.
WRITES = "buttress_writes"
#: Attribute of an error that means that the database is gone.
GONE = "buttress_gone"
#: Methods that change nothing (RFC 9110, 9.2.1); their transactions on SQLite begin as readers.
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: How to limit the duration of statements, by the kind of database; in milliseconds or seconds.
_LIMITS: dict[str, Callable[[float], str]] = {
    "postgresql": lambda seconds: f"SET statement_timeout = {round(seconds * 1000)}",
    "mariadb": lambda seconds: f"SET SESSION max_statement_time = {seconds:.3f}",
    # Either may be at the other end, and reads its own comment.
    "mysql": lambda seconds: (
        f"SET @buttress = 0 /*M!100101 , SESSION max_statement_time = {seconds:.3f} */"
        f" /*!80000 , SESSION max_execution_time = {round(seconds * 1000)} */"
    ),
}
#: How far from the time that is left the limit of a connection may be, as a part of that time.
SLACK = 0.1

#: Databases whose dialect for SQLAlchemy has no connection that commits each statement.
NOT_AUTOMATIC = frozenset({"firebird"})
#: How a driver's connection tells that it is in a transaction, without asking the server.
_IN_TRANSACTION: dict[str, Callable[[Any], bool]] = {
    "psycopg": lambda connection: connection.pgconn.transaction_status != 0,
    "pymysql": lambda connection: bool(connection.server_status & 1),
    "pysqlite": lambda connection: connection.in_transaction,
}


def options_of(url: sa.URL, settings: DbSettings) -> Options:
    """Give the options with which SQLAlchemy makes an engine."""
    options: Options = {
        "connect_args": encryption(url, settings),
        # The text of an error reaches the log, and parameters may be secrets.
        "hide_parameters": True,
    }
    if in_memory(url):
        return options | {"creator": cache(_memory), "poolclass": sa.pool.StaticPool}
    return options | {
        "pool_size": settings.pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.pool_timeout,
        "pool_recycle": settings.pool_recycle,
        "pool_use_lifo": True,
    }


def _memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def wait_in_full(engine: sa.Engine, settings: DbSettings) -> None:
    """Let the pool wait for parts of a second too, which the making of a named engine cuts off."""
    pool: Any = engine.pool
    pool._timeout = settings.pool_timeout


def take_turns(engine: sa.Engine, settings: DbSettings) -> None:
    """Let the sessions of a database in memory, which has one connection, wait for each other."""
    pool: Any = engine.pool
    engine.pool = sa.QueuePool(
        pool._creator,  # as its own `recreate` does
        pool_size=1,
        max_overflow=0,
        timeout=settings.pool_timeout,
        dialect=engine.dialect,
        _dispatch=pool.dispatch,
    )


def statements_engine(url: sa.URL, options: Options) -> sa.Engine:
    """Make the engine whose connections commit each statement, where they can.

    They are not rolled back after each as the sessions' are, which would ask the server once more.
    """
    begun = _IN_TRANSACTION.get(url.get_dialect().driver)
    if url.get_backend_name() not in NOT_AUTOMATIC:
        options = options | {"isolation_level": "AUTOCOMMIT"}
    if in_memory(url):  # whose only connection, and its transactions, are also the sessions'
        return sa.create_engine(url, **options, pool_reset_on_return=None)
    if begun is None:
        return sa.create_engine(url, **options)

    def reset(connection: Any, _record: Any, _state: Any) -> None:
        if begun(connection):  # by a statement BEGIN
            connection.rollback()

    engine = sa.create_engine(url, **options, pool_reset_on_return=None)
    event.listen(engine, "reset", reset)
    return engine


def watch(engine: sa.Engine, outage: Outage, settings: DbSettings) -> None:
    """Prepare the connections of an engine, try them after a rest, and notice an outage."""
    backend = engine.dialect.name
    mend(engine.dialect)
    dead: type[Exception] = engine.dialect.loaded_dbapi.Error
    _watch_connecting(engine, outage, settings)

    def checkout(connection: Any, record: Any, _proxy: Any) -> None:
        used = record.info.get(USED)
        doubtful = used is not None and _doubtful(used, outage, settings)
        try:
            if doubtful and not engine.dialect.do_ping(connection):
                raise InvalidatePoolError
            _limit(connection, record, backend, settings)
        except dead as error:
            if used is None:
                raise
            raise InvalidatePoolError from error  # it is given up with all that are as old
        if doubtful or used is None:
            outage.end()

    def checkin(_connection: Any, record: Any) -> None:
        record.info[USED] = time.monotonic()

    def failed(context: ExceptionContext) -> None:
        if context.connection is None or context.is_disconnect:
            setattr(context.sqlalchemy_exception, GONE, True)
        if context.is_disconnect:
            outage.begin(context.original_exception)

    if not in_memory(engine.url):
        event.listen(engine, "checkout", checkout)
        event.listen(engine, "checkin", checkin)
    event.listen(engine, "handle_error", failed)
    if backend == "sqlite":
        event.listen(engine, "begin", _begin_sqlite)


def _watch_connecting(engine: sa.Engine, outage: Outage, settings: DbSettings) -> None:
    dialect = engine.dialect
    wanted = defaults(dialect, settings)

    def connect(_dialect: Any, _record: Any, args: Any, kwargs: Any) -> Any:
        try:
            return outage.connect(lambda: dialect.connect(*args, **{**wanted, **kwargs}))
        except Down as error:
            refused = OperationalError(None, None, error)
            setattr(refused, GONE, True)
            raise refused from None
        except dialect.loaded_dbapi.Error as error:
            outage.begin(error)
            raise

    def prepare(connection: Any, _record: Any) -> None:
        if dialect.driver == PYMYSQL:
            watch_silence(connection, settings.connect_timeout)
        if dialect.name == "sqlite":
            _prepare_sqlite(connection, in_memory(engine.url))
        elif settings.statement_timeout:
            set_limit(connection, dialect.name, settings.statement_timeout)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "connect", prepare)


def _doubtful(used: float, outage: Outage, settings: DbSettings) -> bool:
    rested = time.monotonic() - used >= settings.ping_after
    return rested or used <= outage.lost or outage.reason is not None


def hot_connections(engine: sa.Engine, outage: Outage, settings: DbSettings) -> HotConnections:
    """Keep the connections of the engine of statements at hand."""
    backend = engine.dialect.name
    dead: type[Exception] = engine.dialect.loaded_dbapi.Error

    def fit(connection: Any, used: float) -> bool:
        if _doubtful(used, outage, settings):
            return False
        try:
            _limit(connection.dbapi_connection, connection, backend, settings)
        except dead as error:
            raise InvalidatePoolError from error
        return True

    return HotConnections(engine, settings, fit, _IN_TRANSACTION.get(engine.dialect.driver))


def _limit(connection: Any, record: Any, backend: str, settings: DbSettings) -> None:
    """Let statements run no longer than somebody waits for the answer."""
    if backend not in _LIMITS:
        return
    deadline = current_deadline()
    wanted, slack = settings.statement_timeout, 0.0
    if deadline is not None:
        left = max(0.001, deadline.left())
        wanted = min(left, wanted) if wanted else left
        slack = SLACK * wanted
    if abs(wanted - record.info.get(LIMIT, settings.statement_timeout)) > slack:
        set_limit(connection, backend, wanted)
        record.info[LIMIT] = wanted


def set_limit(connection: Any, backend: str, seconds: float) -> None:
    """Let the statements of a driver's connection run for so long; 0 is without limit."""
    limit = _LIMITS.get(backend)
    if limit is None:
        return
    transactional = backend == "postgresql" and not connection.autocommit
    if transactional:
        connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(limit(seconds))
    if transactional:
        connection.autocommit = False


def _prepare_sqlite(connection: sqlite3.Connection, memory: bool) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    if not memory:
        connection.execute("PRAGMA synchronous = NORMAL")
        _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; SQLite refuses that at once where others turn it on too."""
    for pause in pauses(0.01, 0.2):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
                return
            if pause > 0.1:
                raise
            time.sleep(pause)
        else:
            return


def for_writing(engine: sa.Engine) -> sa.Engine:
    """Give an engine whose transactions on SQLite begin as writers, except in safe requests.

    A reader that turns writer may be refused there. It shares the connections.
    """
    return engine.execution_options(**{WRITES: True}) if engine.name == "sqlite" else engine


def _begin_sqlite(connection: sa.Connection) -> None:
    safe = has_request_context() and request.method in SAFE
    writes = connection.get_execution_options().get(WRITES) and not safe
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
