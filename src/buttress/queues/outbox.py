"""The outbox: what is sent inside a session's transaction goes out with its commit."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import event

from buttress.errors import MessageError, UnknownQueue
from buttress.queues.message import Message, Outgoing
from buttress.queues.tables import OUTBOX

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session, SessionTransaction

    from buttress.db import Database
    from buttress.queues.broker import Broker
    from buttress.queues.sql import SqlBroker

logger = logging.getLogger("buttress.queues")

#: Where a session keeps what it sends, whether its transaction has changed anything, and whether
#: its commit writes messages.
HELD, CHANGED, WRITTEN = (f"buttress.queues.{word}" for word in ("held", "changed", "written"))
#: Messages that are relayed at a time, and the seconds for which they are hidden meanwhile.
BATCH, HIDDEN = 10, 60.0
#: Seconds between two looks for what other processes have left.
LOOK_EVERY = 1.0
#: Attempts to relay a message that its broker refuses.
ATTEMPTS = 10
_READS = re.compile(r"\s*(SELECT|SAVEPOINT|RELEASE|ROLLBACK)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|REPLACE|CREATE|ALTER|DROP|TRUNCATE|CALL|DO|COPY)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Held:
    """A message that waits for a commit, and the transaction it was sent in."""

    queue: str
    message: Outgoing
    transaction: SessionTransaction | None


class Outbox:
    """Keep messages in their session until it commits; then they are rows of the same database.

    With the ``sql`` broker they are in their queue by then; for another broker `relay` takes
    them there.
    """

    def __init__(self, database: Database, sql: SqlBroker, broker: Callable[[], Broker]) -> None:
        self._database = database
        self._sql = sql
        self._broker = broker
        #: Called after a commit that has left something to relay. A process without a loop that
        #: relays does it at once, since there may be no other.
        self.committed: Callable[[], object] = self._relay_now
        #: What sessions keep, by the connections of their transactions.
        self._infos: WeakKeyDictionary[Connection, dict[Any, Any]] = WeakKeyDictionary()
        self._listen()

    @property
    def relays(self) -> bool:
        """Tell whether the messages go on to another broker."""
        return self._broker() is not self._sql

    def hold(self, queue: str, message: Outgoing) -> bool:
        """Keep a message for the commit of this context's session; ``False`` without one."""
        session = self._database.current_session()
        if session is None or not session.in_transaction():
            return False
        if not self.relays:
            self._sql.require(queue)
        transaction = session.get_nested_transaction() or session.get_transaction()
        session.info.setdefault(HELD, []).append(Held(queue, message, transaction))
        return True

    def leave(self, error: BaseException | None) -> None:
        """See to what is held at the end of a context.

        It is sent where the transaction only read, and lost where it changed something that was
        not committed.
        """
        session = self._database.current_session()
        held: list[Held] = [] if session is None else session.info.pop(HELD, [])
        if session is None or not held:
            return
        changed = session.info.get(CHANGED) or session.new or session.dirty or session.deleted
        if error is None and not changed:
            session.rollback()  # its locks might keep the messages from being written
            for each in held:
                self._sql.send(self._name(each.queue), [each.message])
            self._after()
        elif error is None:
            logger.warning(
                "%d messages are not sent, for their session was not committed", len(held)
            )

    def relay(self) -> float:
        """Take what is committed to the broker; gives the seconds until the next look."""
        names = [name for name in self._sql.queues() if name.startswith(OUTBOX)]
        taken = sum(self._relay_queue(name) for name in names)
        return 0.0 if taken else LOOK_EVERY

    def _relay_queue(self, name: str) -> int:
        messages = self._sql.receive(name, limit=BATCH, wait=0, visibility=HIDDEN)
        if messages:
            self._pass_on(name, messages)
        return len(messages)

    def _pass_on(self, name: str, messages: list[Message]) -> None:
        """Send messages on; they come back where the broker, or the queue, is not there."""
        try:
            self._broker().send(name.removeprefix(OUTBOX), [_outgoing(it) for it in messages])
        except MessageError as error:
            if isinstance(error, UnknownQueue):
                self._sql.release(messages, LOOK_EVERY)
                raise
            self._refused(name, messages, str(error))
        except Exception:
            self._sql.release(messages, LOOK_EVERY)
            raise
        else:
            self._sql.delete(messages)

    def _refused(self, name: str, messages: list[Message], reason: str) -> None:
        """Find which of them is refused, and bury it when it was often enough."""
        if len(messages) > 1:
            for message in messages:
                self._pass_on(name, [message])
            return
        logger.error("%s: %s is refused: %s", name, messages[0].id, reason)
        if messages[0].count >= ATTEMPTS:
            self._sql.bury([messages[0].because(reason)])
        else:
            self._sql.release(messages, LOOK_EVERY)

    def _listen(self) -> None:
        sessions: Any = self._database.session_class
        event.listen(sessions, "before_commit", self._write)
        event.listen(sessions, "after_commit", self._told)
        event.listen(sessions, "after_soft_rollback", _forget)
        event.listen(sessions, "after_transaction_end", _end)
        event.listen(sessions, "after_begin", self._begun)
        event.listen(self._database.engine, "before_cursor_execute", self._note)

    def _begun(
        self, session: Session, _transaction: SessionTransaction, connection: Connection
    ) -> None:
        self._infos[connection] = session.info

    def _note(
        self, connection: Connection, _cursor: object, statement: str, *_more: object
    ) -> None:
        """Note what changes something in a transaction of a session, by whatever way."""
        info = self._infos.get(connection)
        if info is not None and _writes(statement):
            info[CHANGED] = True

    def _write(self, session: Session) -> None:
        held: list[Held] = session.info.get(HELD, [])
        if not held or session.in_nested_transaction():
            return
        connection = session.connection()
        for queue in dict.fromkeys(each.queue for each in held):
            messages = [each.message for each in held if each.queue == queue]
            self._sql.write(connection, self._name(queue), messages)
        session.info[HELD] = []
        session.info[WRITTEN] = True

    def _told(self, session: Session) -> None:
        if session.in_nested_transaction():
            return
        session.info.pop(CHANGED, None)
        if session.info.pop(WRITTEN, False):
            self._after()

    def _name(self, queue: str) -> str:
        """Name the queue in the database that a message for a queue is written to."""
        return f"{OUTBOX}{queue}" if self.relays else queue

    def _after(self) -> None:
        self._sql.notify()
        if self.relays:
            self.committed()

    def _relay_now(self) -> None:
        try:
            self.relay()
        except Exception as error:
            logger.error("Messages wait in the outbox: %s", error, exc_info=error)


def _outgoing(message: Message) -> Outgoing:
    return Outgoing(
        id=message.id,
        body=message.body,
        sent=message.sent or 0.0,
        attributes=message.attributes,
        dedup_id=message.dedup_id,
        group_id=message.group_id,
        request_id=message.request_id,
    )


def _forget(session: Session, ended: SessionTransaction) -> None:
    """Drop what was sent in a transaction that is undone."""
    held: list[Held] = session.info.get(HELD, [])
    session.info[HELD] = [each for each in held if not _is_within(each.transaction, ended)]
    if ended.parent is None:
        session.info.pop(CHANGED, None)


def _end(session: Session, ended: SessionTransaction) -> None:
    """Drop what is left of a transaction that ends, by whatever way, without a commit."""
    if ended.parent is None:
        session.info.pop(HELD, None)
        session.info.pop(CHANGED, None)


def _is_within(transaction: SessionTransaction | None, ended: SessionTransaction) -> bool:
    while transaction is not None and transaction is not ended:
        transaction = transaction.parent
    return transaction is ended or ended.parent is None


@lru_cache(maxsize=1024)
def _writes(statement: str) -> bool:
    """Tell whether a statement may change something, by its words."""
    return not _READS.match(statement) and _WRITES.search(statement) is not None
