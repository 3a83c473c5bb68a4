"""Connections that were used a moment ago, kept at hand for the next statement."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout

if TYPE_CHECKING:
    import sqlalchemy as sa

    from buttress.db.settings import DbSettings

#: Connections of the process that this one was forked from: to drop them would talk to its server.
_LEFT: list[Any] = []


class HotConnections:
    """Lend the connections of an engine, the latest one first.

    SQLAlchemy's pool takes about as long to lend one as PostgreSQL takes for a short query. So a
    connection that comes back stays here while it is in use again and again; one that has rested
    for longer than it may without a try goes through the pool, which tries it.
    """

    def __init__(
        self,
        engine: sa.Engine,
        settings: DbSettings,
        fit: Callable[[Any, float], bool],
        begun: Callable[[Any], bool] | None,
    ) -> None:
        self._engine = engine
        self._size = settings.pool_size
        self._timeout = settings.pool_timeout
        #: Tells whether a connection that was last used then may be used without a try.
        self._fit = fit
        #: Tells whether a driver's connection is in a transaction; without it none is kept.
        self._begun = begun
        self.forget()

    def take(self) -> Any:
        """Lend a connection. Raises SQLAlchemy's and the driver's errors where there is none."""
        try:
            self._permits.get(timeout=self._timeout)
        except Empty:
            raise PoolTimeout(
                f"all {self._size} connections for statements were in use for {self._timeout:g} s"
            ) from None
        try:
            return self._hot() or self._engine.raw_connection()
        except BaseException:
            self._permits.put(None)
            raise

    def give(self, connection: Any) -> None:
        """Take a connection back; one that cannot be used at once goes to the pool."""
        try:
            driver = connection.dbapi_connection
            if driver is None or self._begun is None or self._begun(driver):
                connection.close()
            else:
                self._idle.append((connection, time.monotonic()))
        finally:
            self._permits.put(None)

    @property
    def in_use(self) -> int:
        """Count those that are lent."""
        return self._size - self._permits.qsize()

    def close(self) -> None:
        """Give all that are not lent back to the pool."""
        while (connection := self._pop()) is not None:
            connection[0].close()

    def forget(self) -> None:
        """Begin anew, and leave the connections to the process that this one was forked from."""
        _LEFT.extend(getattr(self, "_idle", ()))
        self._idle: list[tuple[Any, float]] = []
        self._permits: SimpleQueue[None] = SimpleQueue()
        for _ in range(self._size):
            self._permits.put(None)

    def _hot(self) -> Any:
        while (found := self._pop()) is not None:
            connection, used = found
            try:
                if self._fit(connection, used):
                    return connection
            except InvalidatePoolError:
                connection.invalidate()
            connection.close()
        return None

    def _pop(self) -> tuple[Any, float] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None
