"""The links on which a worker publishes: few, kept open, each used by one thread at a time."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable

from buttress.errors import LifecycleError
from buttress.lifecycle import Deadline
from buttress.pulse.link import Link

#: Seconds after which a link that rested is no longer trusted: who is in between may forget it.
LONGEST_REST = 60.0


class Pool:
    """Lend links, up to ``size`` at once; ``connect`` makes one within so many seconds.

    A fork begins with none of them: the parent goes on using its own.
    """

    def __init__(self, connect: Callable[[float], Link], size: int) -> None:
        self._connect = connect
        self._size = size
        self._closed = False
        self._inherited: list[Link] = []
        self._reset()
        _ALIVE.add(self)

    def take(self, deadline: Deadline) -> Link:
        """Give a link: one that rests, or a new one.

        Raises `TimeoutError` where all are in use for too long, and what ``connect`` raises.
        """
        if self._closed:
            raise LifecycleError("app.pulse is closed: publish before the service has ended.")
        if not self._free.acquire(timeout=deadline.left()):
            raise TimeoutError(f"all {self._size} connections are in use (PULSE_CONNECTIONS)")
        try:
            return self._rested() or self._connect(deadline.left())
        except BaseException:
            self._free.release()
            raise

    def give(self, link: Link) -> None:
        """Take back a link that works."""
        with self._lock:
            kept = not self._closed
            if kept:
                self._idle.append((time.monotonic(), link))
        if not kept:
            link.close()
        self._free.release()

    def drop(self, link: Link) -> None:
        """Take back a link that does not; those that rest are as old and go with it."""
        for lost in (link, *self._emptied()):
            lost.abandon()
        self._free.release()

    def close(self) -> None:
        """Close what rests, and what comes back."""
        self._closed = True
        for link in self._emptied():
            link.close()

    def forget(self) -> None:
        """Begin anew in the child of a fork; nothing of the parent's is closed."""
        self._inherited += [link for _, link in self._idle]
        self._reset()

    def _reset(self) -> None:
        self._idle: list[tuple[float, Link]] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self._size)

    def _emptied(self) -> list[Link]:
        with self._lock:
            found, self._idle = self._idle, []
        return [link for _, link in found]

    def _rested(self) -> Link | None:
        with self._lock:
            since, link = self._idle.pop() if self._idle else (0.0, None)
        if link is None or time.monotonic() - since < LONGEST_REST:
            return link
        # What lies below has rested for longer.
        for old in (link, *self._emptied()):
            old.abandon()
        return None


_ALIVE: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in _ALIVE:
        pool.forget()


os.register_at_fork(after_in_child=_after_fork)
