"""Which errors of the database mean that it cannot answer now: 503, and the client comes back."""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc

from buttress.db.engine import GONE
from buttress.errors import Unavailable

#: SQLSTATE of PostgreSQL (its manual, appendix A): serialization, deadlock, no lock, no resources,
#: cancelled by a timeout, shutting down.
_STATES = ("40001", "40P01", "55P03", "53", "57014", "57P")
#: Numbers of MariaDB: changed since it was read, lock wait, deadlock, too many connections,
#: statement took too long.
_NUMBERS = frozenset({1020, 1205, 1213, 1040, 1203, 1969, 3024})
#: Result codes of SQLite: busy, locked.
_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def as_unavailable(error: Exception, retry_after: int) -> Unavailable | None:
    """Give the answer to an error, or ``None`` where it is the application's own.

    ``retry_after`` is in seconds; who was only outpaced may come back at once.
    """
    if isinstance(error, exc.TimeoutError):
        return Unavailable("All connections to the database are in use.", retry_after=1)
    if not isinstance(error, exc.DBAPIError):
        return None
    if is_gone(error):
        return Unavailable("The database does not answer.", retry_after=retry_after)
    if _busy(error.orig):
        return Unavailable("The database is busy.", retry_after=1)
    return None


def is_gone(error: Exception) -> bool:
    """Tell whether this error is that the database does not answer."""
    return isinstance(error, exc.DBAPIError) and (
        error.connection_invalidated or getattr(error, GONE, False)
    )


def has_old_plan(cause: BaseException | None) -> bool:
    """Tell whether PostgreSQL refuses a prepared statement since its table has changed.

    The text of the error is translated, and its SQLSTATE is that of much else.
    """
    return getattr(getattr(cause, "diag", None), "source_function", None) == "RevalidateCachedQuery"


def is_locked(cause: BaseException | None) -> bool:
    """Tell whether SQLite is locked by another connection."""
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _CODES


def _busy(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):
        return is_locked(cause)
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str) and state.startswith(_STATES):
        return True
    number = cause.args[0] if cause is not None and cause.args else None
    return number in _NUMBERS or has_old_plan(cause)
