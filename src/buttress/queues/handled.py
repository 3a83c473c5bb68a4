"""What was handled with ``once=True``: its id is written in the transaction of its effects."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from buttress.db import for_writing
from buttress.queues.message import Message
from buttress.queues.tables import HANDLED

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from buttress.db import Database

logger = logging.getLogger("buttress.queues")

DAY = 86_400.0
#: How often what is too old is forgotten: with one message of so many.
FORGET_AFTER = 1000


class Handled:
    """The ids of messages that were handled, kept for so many days."""

    def __init__(self, database: Database, days: float) -> None:
        self._database = database
        self._days = days
        self._count = 0

    def once(self, message: Message, handle: Callable[[], Any]) -> Any:
        """Handle a message unless that was done before, and commit its effects with its id.

        Another process that handles the same message at this moment is waited for. Gives what
        ``handle`` gives; where that is ``False`` nothing is committed.
        """
        session = self._database.session
        if not self._is_first(session, message):
            session.rollback()
            logger.info("%s of %s was handled before", message.id, message.queue)
            return None
        begun = session.get_transaction()
        result = handle()
        if session.get_transaction() is not begun:
            session.rollback()
            raise RuntimeError(
                f"The handler of {message.queue} ended the transaction of its message: with "
                "once=True it neither commits nor rolls back."
            )
        if result is False:
            session.rollback()
        else:
            session.commit()
        self._count += 1
        if self._count % FORGET_AFTER == 0:
            self.forget()
        return result

    def forget(self) -> None:
        """Delete what is older than the days for which it is kept."""
        oldest = time.time() - self._days * DAY
        with for_writing(self._database.engine).begin() as connection:
            connection.execute(HANDLED.delete().where(HANDLED.c.at < oldest))

    def _is_first(self, session: Session, message: Message) -> bool:
        row = {"queue": message.queue, "id": message.id, "at": time.time()}
        try:
            session.execute(HANDLED.insert().values(**row))
        except IntegrityError:
            return False
        return True
