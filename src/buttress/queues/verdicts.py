"""What became of messages, told to the broker in batches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from buttress.queues.dispatch import Outcome
from buttress.queues.message import Message

if TYPE_CHECKING:
    from buttress.queues.broker import Broker
    from buttress.queues.consumer import Plan

logger = logging.getLogger("buttress.queues")

#: Seconds after which what is done is deleted, though more of its batch is to be handled.
FLUSH_AFTER = 0.5
#: The longest delay of a message that failed, in seconds.
LONGEST_RETRY = 600.0


class Verdicts:
    """What became of messages, told to the broker in batches.

    ``settled`` is called with each message that need not be kept hidden any longer.
    """

    def __init__(self, broker: Broker, plan: Plan, settled: Callable[[Message], object]) -> None:
        self._broker = broker
        self._plan = plan
        self._settled = settled
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
        else:
            self._settled(message)
            self._return(message, outcome, reason)
        if time.monotonic() - self._flushed >= FLUSH_AFTER:
            self.flush()

    def _return(self, message: Message, outcome: Outcome | None, reason: str) -> None:
        if outcome is Outcome.BURY:
            self._broker.bury([message.because(reason)])
        elif outcome is None:
            self._broker.release([message], 0.0)
        elif outcome is Outcome.RETRY:
            delay = self._plan.retry_delay * 2 ** min(message.count - 1, 20)
            self._broker.release([message], min(LONGEST_RETRY, delay))
        elif self._plan.leave_delay is not None:
            self._broker.release([message], self._plan.leave_delay)

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
        for message in done:
            self._settled(message)
