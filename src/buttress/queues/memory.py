"""Queues in this process alone: for tests, and for services that may forget."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from buttress.errors import UnknownQueue
from buttress.queues.broker import NO_OPTIONS, Depth
from buttress.queues.message import Message, Outgoing, Receipt

#: Seconds for which a message with the same ``dedup_id`` is not taken again, as at SQS.
DEDUP = 300.0


@dataclass
class Kept:
    """A message in its queue."""

    message: Message
    visible: float
    #: Counts the deliveries; an older delivery has no say any more.
    turn: int = 0


@dataclass
class Queue:
    """One queue, its dead letters, and what it was sent lately."""

    kept: dict[int, Kept] = field(default_factory=dict)
    dead: dict[int, Message] = field(default_factory=dict)
    seen: dict[str, tuple[float, Receipt]] = field(default_factory=dict)


class MemoryBroker:
    """A broker in this process; ``now`` is its clock, in seconds since 1970."""

    name = "memory"

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._queues: dict[str, Queue] = {}
        self._changed = threading.Condition()
        self._number = self._woken = 0

    def declare(self, queue: str) -> None:
        """Make a queue where it is missing."""
        with self._changed:
            self._queues.setdefault(queue, Queue())

    def send(self, queue: str, messages: Sequence[Outgoing]) -> list[Receipt]:
        """Keep messages."""
        with self._changed:
            receipts = [self._kept(self._queue(queue), queue, message) for message in messages]
            self._changed.notify_all()
        return receipts

    def receive(
        self,
        queue: str,
        *,
        limit: int,
        wait: float,
        visibility: float,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> list[Message]:
        """Take messages that are visible, waiting for the first."""
        end = time.monotonic() + wait
        with self._changed:
            woken = self._woken
            while not (found := self._visible(queue, limit)):
                left = end - time.monotonic()
                if left <= 0 or woken != self._woken:
                    break
                self._changed.wait(min(left, self._until_visible(queue)))
            return [self._taken(number, kept, visibility) for number, kept in found]

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        """Hide messages for longer."""
        with self._changed:
            for _, kept in self._held(messages):
                kept.visible = self._now() + visibility

    def delete(self, messages: Sequence[Message]) -> None:
        """Forget messages."""
        with self._changed:
            for number, kept in list(self._held(messages)):
                del self._queue(kept.message.queue).kept[number]
            self._changed.notify_all()

    def release(self, messages: Sequence[Message], delay: float) -> None:
        """Show messages again."""
        self.extend(messages, delay)
        with self._changed:
            self._changed.notify_all()

    def bury(self, messages: Sequence[Message]) -> None:
        """Move messages to the dead letters."""
        with self._changed:
            reasons = {message.tag[0]: message.reason for message in messages}
            for number, kept in list(self._held(messages)):
                queue = self._queue(kept.message.queue)
                del queue.kept[number]
                queue.dead[number] = replace(kept.message, reason=reasons[number])
            self._changed.notify_all()

    def depth(self, queue: str) -> Depth:
        """Count messages."""
        with self._changed:
            found, now = self._queue(queue), self._now()
            hidden = [kept for kept in found.kept.values() if kept.visible > now]
            delayed = sum(kept.turn == 0 for kept in hidden)
            ages = [now - (kept.message.sent or now) for kept in found.kept.values()]
            ready = len(found.kept) - len(hidden)
            oldest = max(ages, default=None)
            return Depth(ready, delayed, len(hidden) - delayed, len(found.dead), oldest)

    def queues(self) -> list[str]:
        """Name the queues."""
        return sorted(self._queues)

    def peek(self, queue: str, *, limit: int, dead: bool) -> list[Message]:
        """Look at messages."""
        with self._changed:
            found = self._queue(queue)
            kept = found.dead.values() if dead else [it.message for it in found.kept.values()]
            return list(kept)[:limit]

    def replay(self, queue: str, *, limit: int) -> int:
        """Put dead letters back."""
        with self._changed:
            found = self._queue(queue)
            chosen = list(found.dead)[:limit]
            for number in chosen:
                message = replace(found.dead.pop(number), reason=None, count=0)
                found.kept[number] = Kept(message, self._now())
            self._changed.notify_all()
            return len(chosen)

    def purge(self, queue: str, *, dead: bool) -> int:
        """Forget all."""
        with self._changed:
            found = self._queue(queue)
            purged: dict[int, Kept] | dict[int, Message] = found.dead if dead else found.kept
            number = len(purged)
            purged.clear()
            return number

    def wake(self, queue: str) -> None:
        """End the waits."""
        with self._changed:
            self._woken += 1
            self._changed.notify_all()

    def ping(self) -> None:
        """Answer."""

    def close(self) -> None:
        """Forget everything."""
        with self._changed:
            self._queues.clear()
            self._changed.notify_all()

    def _queue(self, queue: str) -> Queue:
        if queue not in self._queues:
            raise UnknownQueue(queue, unknown(queue, "in this process"))
        return self._queues[queue]

    def _kept(self, found: Queue, queue: str, outgoing: Outgoing) -> Receipt:
        now = self._now()
        if outgoing.dedup_id is not None:
            since, receipt = found.seen.get(outgoing.dedup_id, (0.0, None))
            if receipt is not None and now - since < DEDUP:
                return receipt
        message = Message(
            id=outgoing.id,
            queue=queue,
            body=outgoing.body,
            count=0,
            attributes=outgoing.attributes,
            sent=outgoing.sent,
            request_id=outgoing.request_id,
            group_id=outgoing.group_id,
        )
        self._number += 1
        found.kept[self._number] = Kept(message, now + outgoing.delay)
        receipt = Receipt(outgoing.id, queue)
        if outgoing.dedup_id is not None:
            found.seen = {key: it for key, it in found.seen.items() if now - it[0] < DEDUP}
            found.seen[outgoing.dedup_id] = (now, receipt)
        return receipt

    def _visible(self, queue: str, limit: int) -> list[tuple[int, Kept]]:
        """Find what can be taken: of each group only its first, and that only once it is shown."""
        now, groups, found = self._now(), set[str](), []
        for number, kept in self._queue(queue).kept.items():
            group = kept.message.group_id
            if group is not None:
                if group in groups:
                    continue
                groups.add(group)
            if kept.visible <= now:
                found.append((number, kept))
                if len(found) == limit:
                    break
        return found

    def _until_visible(self, queue: str) -> float:
        now = self._now()
        hidden = [it.visible - now for it in self._queue(queue).kept.values() if it.visible > now]
        return max(0.001, min(hidden, default=60.0))

    def _taken(self, number: int, kept: Kept, visibility: float) -> Message:
        kept.turn += 1
        kept.visible = self._now() + visibility
        count = kept.message.count + 1
        kept.message = replace(kept.message, count=count, tag=(number, kept.turn))
        return kept.message

    def _held(self, messages: Sequence[Message]) -> Iterator[tuple[int, Kept]]:
        """Find deliveries that are still the newest of their message."""
        for message in messages:
            number, turn = message.tag
            kept = self._queue(message.queue).kept.get(number)
            if kept is not None and kept.turn == turn:
                yield number, kept


def unknown(queue: str, where: str) -> str:
    """Say that a queue is not there, and what makes one."""
    return (
        f"There is no queue '{queue}' {where}: start its consumer once, or name it in QUEUES_NAMES."
    )
