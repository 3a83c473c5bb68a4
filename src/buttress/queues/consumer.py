"""Consumers: a supervised loop for each queue in each worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from buttress.errors import UnknownQueue
from buttress.lifecycle import Deadline
from buttress.loop import Loop
from buttress.queues.dispatch import Dispatch, Outcome
from buttress.queues.message import Message
from buttress.queues.turn import Turn

if TYPE_CHECKING:
    from buttress.queues.broker import Broker

logger = logging.getLogger("buttress.queues")

Handler = Callable[[Message], Any]

#: Seconds after which what is done is deleted, though more of its batch is to be handled.
FLUSH_AFTER = 0.5
#: Seconds until another look whether it is this worker's turn.
NOT_OUR_TURN = 1.0
#: The longest delay of a message that failed, in seconds.
LONGEST_RETRY = 600.0


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
            messages = self._broker.receive(
                self.plan.queue,
                limit=self.plan.prefetch,
                wait=self.plan.wait,
                visibility=self.plan.visibility,
                options=self.plan.options,
            )
        except UnknownQueue:  # it is gone: the next step makes it anew
            self._declared = False
            raise
        if messages:
            self._handle_all(messages)
            return 0.0
        return self.plan.interval

    def _handle_all(self, messages: Sequence[Message]) -> None:
        with self._holding(messages):
            verdicts = Verdicts(self._broker, self.plan)
            try:
                for message, outcome, reason in self._outcomes(messages):
                    if outcome is not Outcome.DONE:  # what is done is held until it is deleted
                        self._drop(message)
                    if outcome is not None:
                        self.counts.note(outcome)
                    verdicts.add(message, outcome, reason)
            finally:
                verdicts.finish()

    def _outcomes(
        self, messages: Sequence[Message]
    ) -> Iterator[tuple[Message, Outcome | None, str]]:
        """Handle messages, in order or side by side; once told to stop the rest is let be."""
        if self._pool is None:
            results: Iterator[tuple[Outcome | None, str]] = map(self._handle, messages)
        else:
            results = self._pool.map(self._handle, messages)
        for message, (outcome, reason) in zip(messages, results, strict=True):
            yield message, outcome, reason

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


class Verdicts:
    """What became of messages, told to the broker in batches."""

    def __init__(self, broker: Broker, plan: Plan) -> None:
        self._broker = broker
        self._plan = plan
        self._done: list[Message] = []
        self._failure: Exception | None = None
        self._flushed = time.monotonic()

    def add(self, message: Message, outcome: Outcome | None, reason: str) -> None:
        """Tell at once of what failed; of what is done with others.

        Where the broker does not take it the other messages go on; `finish` raises the first.
        """
        try:
            self._tell(message, outcome, reason)
        except Exception as error:
            logger.exception("%s: what became of %s is not told", self._plan.queue, message.id)
            self._failure = self._failure or error

    def _tell(self, message: Message, outcome: Outcome | None, reason: str) -> None:
        if outcome is Outcome.DONE:
            self._done.append(message)
        elif outcome is Outcome.BURY:
            self._broker.bury([message.because(reason)])
        elif outcome is None:
            self._broker.release([message], 0.0)
        elif outcome is Outcome.RETRY:
            delay = self._plan.retry_delay * 2 ** min(message.count - 1, 20)
            self._broker.release([message], min(LONGEST_RETRY, delay))
        elif self._plan.leave_delay is not None:
            self._broker.release([message], self._plan.leave_delay)
        if time.monotonic() - self._flushed >= FLUSH_AFTER:
            self.flush()

    def finish(self) -> None:
        """Delete what is done, and raise the first failure of the batch."""
        self.flush()
        if self._failure is not None:
            raise self._failure

    def flush(self) -> None:
        """Delete what is done."""
        done, self._done = self._done, []
        self._flushed = time.monotonic()
        if done:
            self._broker.delete(done)


def _key(message: Message) -> str:
    return f"{message.id} {message.tag}"
