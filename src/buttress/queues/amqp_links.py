"""The links of a process: a few to publish on, and one for each thread that receives."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from buttress.errors import Unavailable
from buttress.lifecycle import Deadline
from buttress.loop import Loop
from buttress.queues.amqp_link import LOST, Link

logger = logging.getLogger("buttress.queues")

#: Links on which one process publishes at the same time.
PUBLISHERS = 8
#: Seconds after which a link that rested is no longer trusted: who is in between may forget it.
LONGEST_REST = 60.0
#: Seconds between heartbeats as both sides agree on them.
HEARTBEAT = 30
#: Seconds between those that are sent, and between two looks at what is hidden.
BEAT = 1.0


class Publishers:
    """Lend links that ``connect`` makes, each to one thread at a time."""

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._idle: list[tuple[float, Link]] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(PUBLISHERS)

    @contextmanager
    def lend(self, seconds: float) -> Iterator[Link]:
        """Lend a link; where its use fails, it is dropped with all that rest, which are as old.

        Raises `Unavailable` where all are in use for too long, and what ``connect`` raises.
        """
        if not self._free.acquire(timeout=seconds):
            raise Unavailable("All connections to the message broker are in use.")
        try:
            link = self._rested() or self._connect()
            try:
                yield link
            except BaseException:
                link.abandon()
                self._abandon_rest()
                raise
            with self._lock:
                self._idle.append((time.monotonic(), link))
        finally:
            self._free.release()

    def close(self) -> None:
        """Close what rests."""
        for link in self._emptied():
            link.close()

    def links(self) -> list[Link]:
        """Give the links that rest."""
        with self._lock:
            return [link for _, link in self._idle]

    def _rested(self) -> Link | None:
        with self._lock:
            since, link = self._idle.pop() if self._idle else (0.0, None)
        if link is None or time.monotonic() - since < LONGEST_REST:
            return link
        link.abandon()
        self._abandon_rest()
        return None

    def _abandon_rest(self) -> None:
        for link in self._emptied():
            link.abandon()

    def _emptied(self) -> list[Link]:
        with self._lock:
            found, self._idle = self._idle, []
        return [link for _, link in found]


class Receivers:
    """The links on which messages are received: one for each queue and thread.

    A thread sends heartbeats on them while handlers run, and ends visibilities.
    """

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._links: list[tuple[str, weakref.ref[threading.Thread], Link]] = []
        self._lock = threading.Lock()
        self._beat = Loop("amqp-beat", self._beaten)

    def of(self, queue: str) -> Link:
        """Give the link of this thread for a queue. Raises what ``connect`` raises."""
        me = threading.current_thread()
        with self._lock:
            for name, thread, link in self._links:
                if name == queue and thread() is me and not link.lost:
                    return link
        self._sweep()
        link = self._connect()
        with self._lock:
            self._links.append((queue, weakref.ref(me), link))
            if not self._beat.running:
                self._beat = Loop("amqp-beat", self._beaten)
                self._beat.start()
        return link

    def links(self) -> list[Link]:
        """Give them all."""
        with self._lock:
            return [link for _, _, link in self._links]

    def in_flight(self, queue: str) -> int:
        """Count the messages of a queue that were received and not settled."""
        held = [it for link in self.links() for it in list(link.held.values())]
        return sum(it.queue == queue for it in held)

    def close(self) -> None:
        """Close them; what was not settled is delivered to others."""
        self._beat.stop()
        with self._lock:
            found, self._links = self._links, []
        for _, _, link in found:
            link.close()
        self._beat.join(Deadline(1.0))

    def _sweep(self) -> None:
        """Let go of what is lost, and of threads that ended and left nothing to settle."""
        with self._lock:
            kept = [it for it in self._links if not it[2].lost]
            ended = [it for it in kept if not it[2].held and not _is_alive(it[1]())]
            self._links = [it for it in kept if it not in ended]
        for _, _, link in ended:
            link.close()

    def _beaten(self) -> float:
        for link in self.links():
            try:
                link.beat()
            except LOST as error:
                logger.debug("%s cannot be kept alive: %s", link.name, error)
        return BEAT


def _is_alive(thread: threading.Thread | None) -> bool:
    return thread is not None and thread.is_alive()
