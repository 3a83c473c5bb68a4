"""Queues in the service's own database."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from buttress.db import epoch, for_writing
from buttress.errors import UnknownQueue
from buttress.queues.broker import NO_OPTIONS, Depth
from buttress.queues.memory import DEDUP as DEDUP_FOR
from buttress.queues.memory import unknown
from buttress.queues.message import Message, Outgoing, Receipt
from buttress.queues.tables import DEDUP, HANDLED, MESSAGE, OUTBOX, QUEUE

if TYPE_CHECKING:
    from buttress.db import Database

#: Seconds between two looks into an empty queue, at first and at last.
FIRST_LOOK, LAST_LOOK = 0.02, 0.5
#: Ids against duplicates that are noted between two looks for those that may be forgotten.
FORGET_AFTER = 1000
#: Dialects that skip what others have locked.
_SKIPPING = frozenset({"postgresql", "mysql", "mariadb"})

_m = MESSAGE.c


class SqlBroker:
    """A broker in a database: messages are rows, taken one process at a time."""

    name = "sql"

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._skips = self._engine.dialect.name in _SKIPPING
        self._known: set[str] = set()
        self._changed = threading.Condition()
        self._woken = self._noted = 0

    def declare(self, queue: str) -> None:
        """Make a queue where it is missing."""
        if not self._is_there(queue):
            try:
                with self._begin() as connection:
                    connection.execute(QUEUE.insert().values(name=queue))
            except IntegrityError:  # another process was faster
                pass
        self._known.add(queue)

    def send(self, queue: str, messages: Sequence[Outgoing]) -> list[Receipt]:
        """Write messages, in one transaction."""
        self.require(queue)
        with self._begin() as connection:
            receipts = self.write(connection, queue, messages)
        self.notify()
        return receipts

    def write(
        self, connection: sa.Connection, queue: str, messages: Sequence[Outgoing]
    ) -> list[Receipt]:
        """Write messages in a transaction of somebody else's; the queue may be a new one.

        In an outbox none is kept away as a duplicate: that is for the broker they go to.
        """
        new = [message for message in messages if self._is_new(connection, queue, message)]
        if new:
            visible = epoch(self._engine.dialect) + sa.bindparam("delay", type_=sa.Double)
            rows = [_row(queue, message) for message in new]
            connection.execute(MESSAGE.insert().values(visible=visible), rows)
        return [Receipt(message.id, queue) for message in messages]

    def receive(
        self,
        queue: str,
        *,
        limit: int,
        wait: float,
        visibility: float,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> list[Message]:
        """Take messages that are visible; looks again and again until the wait is over."""
        self.require(queue)
        end, pause, woken = time.monotonic() + wait, FIRST_LOOK, self._woken
        while not (found := self._take(queue, limit, visibility)):
            left = end - time.monotonic()
            if left <= 0 or woken != self._woken:
                break
            with self._changed:
                changed = self._changed.wait(min(pause, left))
            pause = FIRST_LOOK if changed else min(LAST_LOOK, 2 * pause)
        return found

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        """Hide messages for longer."""
        self._change(messages, visible=epoch(self._engine.dialect) + visibility)

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages."""
        if messages:
            with self._alone() as connection:
                connection.execute(MESSAGE.delete().where(_held(messages)))

    def release(self, messages: Sequence[Message], delay: float) -> None:
        """Show messages again."""
        self._change(messages, visible=epoch(self._engine.dialect) + delay, turn=None)
        if messages:
            self.notify()

    def bury(self, messages: Sequence[Message]) -> None:
        """Mark messages as dead letters."""
        for message in messages:
            self._change([message], dead=True, reason=message.reason, turn=None)

    def depth(self, queue: str) -> Depth:
        """Count messages."""
        self.require(queue)
        with self._engine.connect() as connection:
            now = connection.execute(sa.select(epoch(self._engine.dialect))).scalar_one()
            hidden = sa.and_(~_m.dead, _m.visible > now)
            counted = sa.select(
                _count(sa.and_(~_m.dead, _m.visible <= now)),
                _count(sa.and_(hidden, _m.turn.is_(None))),
                _count(sa.and_(hidden, _m.turn.is_not(None))),
                _count(_m.dead),
                sa.func.min(sa.case((~_m.dead, _m.sent))),
            ).where(_m.queue == queue)
            *counts, oldest = connection.execute(counted).one()
        age = None if oldest is None else max(0.0, now - oldest)
        ready, delayed, in_flight, dead = (int(count or 0) for count in counts)
        return Depth(ready, delayed, in_flight, dead, age)

    def queues(self) -> list[str]:
        """Name the queues, and the outboxes that have something."""
        with self._engine.connect() as connection:
            declared = set(connection.execute(sa.select(QUEUE.c.name)).scalars())
            used = set(connection.execute(sa.select(_m.queue).distinct()).scalars())
        return sorted(declared | used)

    def peek(self, queue: str, *, limit: int, dead: bool) -> list[Message]:
        """Look at messages."""
        self.require(queue)
        chosen = sa.select(MESSAGE).where(_m.queue == queue, _m.dead == dead)
        with self._engine.connect() as connection:
            rows = connection.execute(chosen.order_by(_m.number).limit(limit))
            return [_message(dict(row._mapping)) for row in rows]

    def replay(self, queue: str, *, limit: int) -> int:
        """Make dead letters messages again."""
        self.require(queue)
        with self._begin() as connection:
            chosen = sa.select(_m.number).where(_m.queue == queue, _m.dead)
            numbers = connection.execute(chosen.order_by(_m.number).limit(limit)).scalars().all()
            fresh = {"dead": False, "reason": None, "count": 0, "turn": None}
            visible = epoch(self._engine.dialect)
            connection.execute(
                MESSAGE.update().where(_m.number.in_(numbers)).values(visible=visible, **fresh)
            )
        self.notify()
        return len(numbers)

    def purge(self, queue: str, *, dead: bool) -> int:
        """Delete all."""
        self.require(queue)
        with self._begin() as connection:
            return connection.execute(
                MESSAGE.delete().where(_m.queue == queue, _m.dead == dead)
            ).rowcount

    def wake(self, queue: str) -> None:
        """End the waits."""
        self._woken += 1
        self.notify()

    def notify(self) -> None:
        """Let those who wait look at once."""
        with self._changed:
            self._changed.notify_all()

    def ping(self) -> None:
        """Leave it to the check of the database."""

    def close(self) -> None:
        """Leave the connections to the database."""

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        engine = for_writing(self._engine)
        if engine.dialect.name in ("mysql", "mariadb"):
            # The gap locks of the default would let consumers wait for each other.
            engine = engine.execution_options(isolation_level="READ COMMITTED")
        with engine.begin() as connection:
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[sa.Connection]:
        """Give a connection for one statement, which is a transaction of its own."""
        if self._engine.dialect.name == "sqlite":
            with self._begin() as connection:
                yield connection
        else:
            with self._autocommit.connect() as connection:
                yield connection

    def _take(self, queue: str, limit: int, visibility: float) -> list[Message]:
        chosen = _next_of(queue, limit, epoch(self._engine.dialect))
        taken = {
            "visible": epoch(self._engine.dialect) + visibility,
            "turn": secrets.token_hex(16),
            "count": _m.count + 1,
        }
        if self._engine.dialect.update_returning:
            return self._take_returning(chosen, taken)
        with self._begin() as connection:
            chosen = chosen.with_for_update(skip_locked=True)
            numbers = connection.execute(chosen).scalars().all()
            if not numbers:
                return []
            connection.execute(MESSAGE.update().where(_m.number.in_(numbers)).values(**taken))
            rows = connection.execute(sa.select(MESSAGE).where(_m.number.in_(numbers)))
            return _messages(rows)

    def _take_returning(self, chosen: sa.Select[Any], taken: Mapping[str, Any]) -> list[Message]:
        """Take in one statement, which is a transaction of its own."""
        if self._skips:
            # The name keeps the choice from being made again for each row.
            choice = chosen.with_for_update(skip_locked=True).cte("choice")
            chosen = sa.select(choice.c.number)
        elif not self._is_any(chosen):  # a writer would wait for other writers
            return []
        update = MESSAGE.update().where(_m.number.in_(chosen)).values(**taken)
        with self._alone() as connection:
            return _messages(connection.execute(update.returning(*MESSAGE.c)))

    def _is_any(self, chosen: sa.Select[Any]) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(chosen.limit(1)).first() is not None

    def _change(self, messages: Sequence[Message], **values: Any) -> None:
        if messages:
            with self._alone() as connection:
                connection.execute(MESSAGE.update().where(_held(messages)).values(**values))

    def _is_there(self, queue: str) -> bool:
        if queue in self._known or ":" in queue:
            return True
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(QUEUE.c.name).where(QUEUE.c.name == queue))
            if found.first() is None:
                return False
        self._known.add(queue)
        return True

    def require(self, queue: str) -> None:
        """Raise `UnknownQueue` where a queue is not there."""
        if not self._is_there(queue):
            raise UnknownQueue(queue, unknown(queue, "in the database"))

    def _is_new(self, connection: sa.Connection, queue: str, message: Outgoing) -> bool:
        """Note a ``dedup_id``; tell whether it was not there in the last minutes."""
        if message.dedup_id is None or queue.startswith(OUTBOX):
            return True
        now = epoch(self._engine.dialect)
        key = {"queue": f"{DEDUP}{queue}"[:100], "id": message.dedup_id}
        try:
            with connection.begin_nested():
                connection.execute(HANDLED.insert().values(at=now, **key))
        except IntegrityError:
            old = sa.and_(*(HANDLED.c[name] == it for name, it in key.items()))
            lapsed = HANDLED.c.at < now - DEDUP_FOR
            renewed = connection.execute(HANDLED.update().where(old, lapsed).values(at=now))
            return renewed.rowcount > 0
        self._noted += 1
        if self._noted % FORGET_AFTER == 0:
            lapsed = sa.and_(HANDLED.c.queue.startswith(DEDUP), HANDLED.c.at < now - DEDUP_FOR)
            connection.execute(HANDLED.delete().where(lapsed))
        return True


def _next_of(queue: str, limit: int, now: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Choose what can be taken: of each group only its first."""
    other = MESSAGE.alias("other")
    # One of a transaction that was committed later may have a lower number.
    in_flight = sa.and_(
        other.c.number > _m.number, other.c.turn.is_not(None), other.c.visible > now
    )
    is_first = ~sa.exists().where(
        other.c.queue == _m.queue,
        other.c.group_id == _m.group_id,
        ~other.c.dead,
        sa.or_(other.c.number < _m.number, in_flight),
    )
    return (
        sa.select(_m.number)
        .where(_m.queue == queue, ~_m.dead, _m.visible <= now)
        .where(sa.or_(_m.group_id.is_(None), is_first))
        .order_by(_m.number)
        .limit(limit)
    )


def _held(messages: Sequence[Message]) -> sa.ColumnElement[bool]:
    """Choose the rows of deliveries that are still the newest of their message."""
    numbers, turns = zip(*(message.tag for message in messages), strict=True)
    return sa.and_(_m.number.in_(numbers), _m.turn.in_(set(turns)))


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _row(queue: str, message: Outgoing) -> dict[str, Any]:
    return {
        "queue": queue,
        "id": message.id,
        "body": message.body,
        "attributes": orjson.dumps(dict(message.attributes)).decode(),
        "group_id": message.group_id,
        "dedup_id": message.dedup_id,
        "request_id": message.request_id,
        "sent": message.sent,
        "count": 0,
        "dead": False,
        "delay": message.delay,
    }


def _messages(rows: Iterable[sa.Row[Any]]) -> list[Message]:
    """Read rows, in the order of sending."""
    found = [dict(row._mapping) for row in rows]
    return [_message(row) for row in sorted(found, key=itemgetter("number"))]


def _message(row: Mapping[str, Any]) -> Message:
    return Message(
        id=row["id"],
        queue=row["queue"],
        body=row["body"],
        count=row["count"],
        attributes=orjson.loads(row["attributes"]),
        sent=row["sent"],
        request_id=row["request_id"],
        group_id=row["group_id"],
        dedup_id=row["dedup_id"],
        reason=row["reason"],
        tag=(row["number"], row["turn"]),
    )
