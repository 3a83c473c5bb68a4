"""SQL in one line whose outages are 503, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from buttress.db import as_unavailable
from buttress.errors import SetupError

if TYPE_CHECKING:
    from buttress.db import Database

T = TypeVar("T")
Params = Mapping[str, Any]

#: Seconds in ``Retry-After`` while the database is down.
RETRY_AFTER = 5


class Statements:
    """Run statements, each a transaction of its own, as `Database.run`, ``one`` and ``all`` do.

    They raise `Unavailable` while the database cannot answer, and `SetupError` where it lacks
    migrations.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, sql: str, params: Params) -> int:
        """Execute a statement; give the number of rows. Raises `IntegrityError`."""
        return self._asked(lambda: self._database.run(sql, params))

    def one(self, sql: str, params: Params) -> Any:
        """Give the one row of a query, or ``None``."""
        return self._asked(lambda: self._database.one(sql, params))

    def all(self, sql: str, params: Params) -> list[Any]:
        """Give all rows of a query."""
        return self._asked(lambda: self._database.all(sql, params))

    def ping(self) -> None:
        """Ask for an answer."""
        self._asked(self._database.ping)

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            unavailable = as_unavailable(error, RETRY_AFTER)
            if unavailable is not None:
                raise unavailable from error
            self._explain(error)
            raise

    def _explain(self, error: SQLAlchemyError) -> None:
        behind = self._database.migrations.behind()
        if behind:
            raise SetupError(
                f"The database lacks migrations ({', '.join(behind)}): run `buttress db upgrade`."
            ) from error
