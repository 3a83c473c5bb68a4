"""The links on which a process receives: one for each thread and queue."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable

from buttress.lifecycle import Deadline
from buttress.loop import Loop
from buttress.queues.amqp_link import LOST, Link

logger = logging.getLogger("buttress.queues")

#: Seconds between heartbeats as both sides agree on them.
HEARTBEAT = 30
#: Seconds between those that are sent, and between two looks at what is hidden.
BEAT = 1.0


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
