"""A consumer: one thread that receives the messages of one queue and has them handled."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from buttress.amqp.marks import Marks
from buttress.backoff import pauses
from buttress.errors import LifecycleError
from buttress.lifecycle import Deadline
from buttress.loop import Loop
from buttress.pulse.link import Link
from buttress.pulse.message import Message, Settlement
from buttress.pulse.subscription import Subscription
from buttress.web import correlated

logger = logging.getLogger("buttress.pulse")

#: Seconds for which one look for messages waits, and in which a consumer notices its end.
LOOK = 0.2
#: The rest after a message was not handled and the longest, in seconds.
FIRST_REST, LONGEST_REST = 0.1, 3.0
#: Deliveries after which a message is given up that each time ended the process (as RabbitMQ 4).
HOPELESS = 20


class Consumer:
    """Receive messages from `start` to `stop`, over any number of connections.

    The thread reads from the connection only while no handler runs; meanwhile `beat` keeps the
    connection alive. A handler that fails has its message delivered again, ``most`` times.
    """

    def __init__(
        self,
        subscription: Subscription,
        connect: Callable[[], Link],
        context: Callable[[], AbstractContextManager[Any]],
        most: int,
    ) -> None:
        self.subscription = subscription
        self._connect = connect
        self._context = context
        self._most = most
        self._link: Link | None = None
        self._speaking = threading.Lock()
        self._received: deque[Any] = deque()
        self._ending = threading.Event()
        self._latest: float | None = None
        self._loop = Loop(f"pulse-{subscription.queue}", self._step)
        self._marks = Marks(subscription.prefetch)
        self.handled = 0
        self.failed = 0

    @property
    def failure(self) -> Exception | None:
        """Give what keeps it from receiving; ``None`` where it does."""
        return self._loop.failure

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """Begin nothing more, at once; the handler that runs goes on."""
        self._ending.set()
        self._loop.stop()

    def close(self, deadline: Deadline) -> bool:
        """Wait for the handler that runs, then give back what it had not come to.

        Tells whether it ended in time. Where it did not, its message is delivered again.
        """
        self.stop()
        ended = self._loop.join(deadline)
        link, self._link = self._link, None
        if link is not None:
            link.close() if ended else link.abandon()
        return ended

    def beat(self) -> None:
        """Keep the connection alive while a handler runs; any thread may."""
        link = self._link
        if link is None or not self._speaking.acquire(blocking=False):
            return
        try:
            link.beat()
        except OSError as error:
            # The thread finds out as soon as it settles the message.
            logger.debug("%s cannot be kept alive: %s", self.subscription.queue, error)
        finally:
            self._speaking.release()

    def details(self) -> dict[str, Any]:
        """Tell how it is doing, for the heartbeat."""
        latest = self._latest
        return {
            "running": self._loop.running and self._link is not None,
            "handled": self.handled,
            "failed": self.failed,
            "seconds_since_last": None if latest is None else round(time.monotonic() - latest, 1),
        }

    def _step(self) -> float:
        try:
            link = self._link or self._open()
            with self._speaking:
                link.read(LOOK)
        except Exception:
            self._lose()
            raise
        while self._received and not self._ending.is_set():
            self._take_up(self._received.popleft(), link)
        return 0

    def _open(self) -> Link:
        link, wanted = self._connect(), self.subscription
        try:
            wanted.declare(link)
            link.consume(wanted.queue, wanted.prefetch, self._received.append)
        except Exception:
            link.abandon()
            raise
        logger.info("Consuming %s", wanted.queue)
        self._link, self._marks = link, Marks(wanted.prefetch)
        return link

    def _lose(self) -> None:
        """Let go of a connection; what it brought is delivered again."""
        self._received.clear()
        link, self._link = self._link, None
        if link is not None:
            link.abandon()

    def _take_up(self, raw: Any, link: Link) -> None:
        message = Message(raw, self.subscription.own_exchange, partial(self._settle, link))
        self._latest = time.monotonic()
        # It may have ended the process that had it: that is written down before it is tried again.
        suspect = self._marks.believes(marked=message.uncounted)
        with correlated(message.request_id or message.message_id):
            if message.unreadable is not None:
                self._bury(message, f"is no JSON: {message.unreadable}")
            elif message.deliveries > HOPELESS:
                self._bury(message, f"was delivered {HOPELESS} times and never handled to the end")
            elif suspect:
                message.requeue()
            elif self._call(message):
                self.handled += 1
                if message.settled is None:
                    message.ack()
            else:
                self._try_again(message)

    def _call(self, message: Message) -> bool:
        try:
            with self._context():
                return self.subscription.handler(message.body, message) is not False
        except (Exception, SystemExit):
            logger.exception("%s: %r is not handled", self.subscription.queue, message)
            return False

    def _try_again(self, message: Message) -> None:
        self.failed += 1
        if message.settled is not None:
            return
        if message.deliveries >= self._most:
            self._bury(message, f"was delivered {message.deliveries} times and not handled")
            return
        self._ending.wait(_rest(message.deliveries))
        message.requeue()

    def _bury(self, message: Message, why: str) -> None:
        logger.error("%r %s: see %s", message, why, self.subscription.dead_queue)
        message.reject(why)

    def _settle(self, link: Link, message: Message, settlement: Settlement, reason: str) -> None:
        if link is not self._link:
            raise LifecycleError("The connection that brought the message is gone: it comes again.")
        try:
            with self._speaking:
                if settlement == "rejected":
                    self.subscription.bury(link, message, reason)
                if settlement == "requeued":
                    self.subscription.repeat(link, message)
                link.acknowledge(message.raw.delivery_info["delivery_tag"])
        except Exception:
            self._lose()
            raise


def _rest(failures: int) -> float:
    """Give the seconds to rest after so many failures of one message."""
    rests = pauses(FIRST_REST, LONGEST_REST)
    return [next(rests) for _ in range(failures)][-1]
