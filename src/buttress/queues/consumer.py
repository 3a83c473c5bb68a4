"""Consumers: a supervised loop for each queue in each worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from buttress.errors import UnknownQueue
from buttress.lifecycle import Deadline
from buttress.loop import Loop
from buttress.queues.dispatch import Dispatch, Outcome
from buttress.queues.message import Message
from buttress.queues.turn import Turn
from buttress.queues.verdicts import Verdicts

if TYPE_CHECKING:
    from buttress.queues.broker import Broker

logger = logging.getLogger("buttress.queues")

Handler = Callable[[Message], Any]

#: Seconds until another look whether it is this worker's turn.
NOT_OUR_TURN = 1.0
#: Seconds between two looks for more messages while some of the threads are free.
LOOK_FOR_MORE = 0.5
#: Deliveries before the last that are made alone, one after the other.
ALONE = 2


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one queue is consumed; durations are in seconds."""

    queue: str
    handler: Handler
    #: Messages that are handled at the same time in one worker.
    parallel: int = 1
    #: Messages that are fetched at a time.
    prefetch: int = 10
    visibility: float
    max_deliveries: int
    retry_delay: float
    wait: float
    #: Seconds between the look that found nothing and the next.
    interval: float = 0.0
    #: Handle each message id once, in the transaction of its effects.
    once: bool = False
    #: Let one worker at a time consume, and one message at a time be handled.
    exclusive: bool = False
    #: When a message comes back that its handler left: ``None`` is when its visibility ends.
    leave_delay: float | None = 0.0
    #: What only one technology understands.
    options: Mapping[str, Any] = field(default_factory=dict)


class Counts:
    """What one consumer has done; only for show, so nothing is locked."""

    def __init__(self) -> None:
        self.handled = self.failed = self.buried = 0
        self.last: float | None = None

    def note(self, outcome: Outcome) -> None:
        """Count a message."""
        self.last = time.monotonic()
        if outcome is Outcome.DONE:
            self.handled += 1
        elif outcome is Outcome.BURY:
            self.buried += 1
        else:
            self.failed += 1


class Consumer:
    """Fetch messages of one queue, handle each, and tell the broker what became of it."""

    def __init__(self, plan: Plan, broker: Broker, dispatch: Dispatch, turn: Turn | None) -> None:
        self.plan = plan
        self.counts = Counts()
        self._broker = broker
        self._dispatch = dispatch
        self._turn = turn
        self._declared = False
        self._held: dict[str, Message] = {}
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self.loop = Loop(f"consume-{plan.queue}", self._step)
        self._keeper = Loop(f"keep-{plan.queue}", self._keep)

    def start(self) -> None:
        """Begin to consume."""
        if self.plan.parallel > 1:
            self._pool = ThreadPoolExecutor(
                self.plan.parallel, thread_name_prefix=f"handle-{self.plan.queue}"
            )
        self.loop.start()
        self._keeper.start()

    def stop(self) -> None:
        """Fetch no more; what is fetched and not begun goes back."""
        self.loop.stop()
        self._broker.wake(self.plan.queue)

    def join(self, deadline: Deadline) -> bool:
        """Wait for the message that is being handled; tell whether it ended in time."""
        ended = self.loop.join(deadline) or not self._held
        self._keeper.stop()
        self._keeper.join(deadline)
        if self._pool is not None:
            self._pool.shutdown(wait=ended, cancel_futures=True)
        if self._turn is not None and ended:
            self._turn.leave()
        return ended

    def _step(self) -> float:
        if self._turn is not None and not self._turn.take():
            return NOT_OUR_TURN
        if not self._declared:
            self._broker.declare(self.plan.queue)
            self._declared = True
        try:
            messages = self._received(self.plan.prefetch, self.plan.wait)
        except UnknownQueue:  # it is gone: the next step makes it anew
            self._declared = False
            raise
        if messages:
            self._handle_all(messages)
            return 0.0
        return self.plan.interval

    def _received(self, limit: int, wait: float) -> list[Message]:
        return self._broker.receive(
            self.plan.queue,
            limit=limit,
            wait=wait,
            visibility=self.plan.visibility,
            options=self.plan.options,
        )

    def _handle_all(self, messages: Sequence[Message]) -> None:
        """Handle messages, in order or side by side, then each suspect alone."""
        with self._holding(messages):
            verdicts = Verdicts(self._broker, self.plan, self._drop)
            try:
                others, suspects = parted(messages, self.plan.max_deliveries)
                if self._pool is None:
                    self._one_by_one(others, verdicts)
                else:
                    self._side_by_side(self._pool, others, suspects, verdicts)
                for suspect in suspects:
                    verdicts.flush()
                    self._one_by_one([suspect], verdicts)
            finally:
                verdicts.finish()

    def _one_by_one(self, messages: Sequence[Message], verdicts: Verdicts) -> None:
        for message in messages:
            self._judge(verdicts, message, *self._handle(message))

    def _side_by_side(
        self,
        pool: ThreadPoolExecutor,
        messages: Sequence[Message],
        suspects: list[Message],
        verdicts: Verdicts,
    ) -> None:
        """Handle messages in threads, and fetch more while some of those are free.

        Suspects among those are added to the others; once there is one, no more is fetched.
        """
        running = {pool.submit(self._handle, message): message for message in messages}
        while running:
            timeout = None
            if len(running) < self.plan.parallel and not (suspects or self.loop.stopping):
                more, found = self._more(self.plan.prefetch - len(running))
                suspects += found
                running.update({pool.submit(self._handle, message): message for message in more})
                timeout = 0.0 if more else LOOK_FOR_MORE
            done = wait(running, timeout, return_when=FIRST_COMPLETED).done
            for future in done:
                self._judge(verdicts, running.pop(future), *future.result())
            if not done:
                verdicts.flush()

    def _judge(
        self, verdicts: Verdicts, message: Message, outcome: Outcome | None, reason: str
    ) -> None:
        if outcome is not None:
            self.counts.note(outcome)
        verdicts.add(message, outcome, reason)

    def _more(self, limit: int) -> tuple[list[Message], list[Message]]:
        """Fetch while others are handled, with the suspects apart.

        A failure is left to the next step, which meets it.
        """
        try:
            messages = self._received(limit, 0.0)
        except Exception as error:  # noqa: BLE001  # as said
            logger.debug("%s: no more messages meanwhile: %s", self.plan.queue, error)
            return [], []
        with self._lock:
            self._held.update({_key(message): message for message in messages})
        return parted(messages, self.plan.max_deliveries)

    def _handle(self, message: Message) -> tuple[Outcome | None, str]:
        if self.loop.stopping:
            return None, ""
        return self._dispatch.handle(self.plan, message)

    @contextmanager
    def _holding(self, messages: Sequence[Message]) -> Iterator[None]:
        with self._lock:
            self._held = {_key(message): message for message in messages}
        try:
            yield
        finally:
            with self._lock:
                self._held = {}

    def _drop(self, message: Message) -> None:
        with self._lock:
            self._held.pop(_key(message), None)

    def _keep(self) -> float:
        """Keep hidden what is being handled or waits for it."""
        with self._lock:
            held = list(self._held.values())
        if held:
            self._broker.extend(held, self.plan.visibility)
        return self.plan.visibility / 3


def parted(messages: Sequence[Message], max_deliveries: int) -> tuple[list[Message], list[Message]]:
    """Part off the suspects: those whose worker may have died of one of them, near their end.

    They come in turn from either end, so that a message that kills its worker takes only those
    along that come before it the next time. Where a group has several, nothing is parted.
    """
    groups = [message.group_id for message in messages if message.group_id is not None]
    least = max(2, max_deliveries - ALONE + 1)
    suspects = [message for message in messages if message.count >= least]
    if not suspects or len(groups) > len(set(groups)):
        return list(messages), []
    others = [message for message in messages if message.count < least]
    backwards = max(message.count for message in suspects) % 2 == 1
    return others, suspects[::-1] if backwards else suspects


def _key(message: Message) -> str:
    return f"{message.id} {message.tag}"
