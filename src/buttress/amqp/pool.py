"""The links on which a process publishes: few, kept open, each used by one thread at a time."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from buttress.errors import LifecycleError
from buttress.lifecycle import Deadline

#: Seconds after which a link that rested is no longer trusted: who is in between may forget it.
LONGEST_REST = 60.0


class Link(Protocol):
    """What a pool lends."""

    def close(self) -> None:
        """End it in order."""

    def abandon(self) -> None:
        """End it at once."""


L = TypeVar("L", bound=Link)


class Pool(Generic[L]):
    """Lend links, up to ``size`` at once; ``connect`` makes one within so many seconds.

    ``busy`` makes what is raised where all are in use for too long. A fork begins with none of
    them: the parent goes on using its own.
    """

    def __init__(
        self, connect: Callable[[float], L], size: int, busy: Callable[[], Exception]
    ) -> None:
        self._connect = connect
        self._size = size
        self._busy = busy
        self._closed = False
        self._inherited: list[L] = []
        self._reset()
        _ALIVE.add(self)

    @contextmanager
    def lend(self, deadline: Deadline) -> Iterator[L]:
        """Lend a link; where its use fails, it is dropped with all that rest, which are as old.

        Raises what ``busy`` gives and what ``connect`` raises.
        """
        if self._closed:
            raise LifecycleError("The connections are closed: the service has ended.")
        places = self._places  # a fork has others
        if not places.acquire(timeout=deadline.left()):
            raise self._busy()
        try:
            link = self._rested() or self._connect(deadline.left())
            try:
                yield link
            except BaseException:
                self._abandon([link, *self._emptied()])
                raise
            self._keep(link)
        finally:
            places.release()

    def close(self) -> None:
        """Close what rests, and what comes back."""
        self._closed = True
        for link in self._emptied():
            link.close()

    def forget(self) -> None:
        """Begin anew in the child of a fork; nothing of the parent's is closed."""
        self._inherited += [link for _, link in self._idle]
        self._reset()

    def links(self) -> list[L]:
        """Give the links that rest."""
        with self._lock:
            return [link for _, link in self._idle]

    def _reset(self) -> None:
        self._idle: list[tuple[float, L]] = []
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(self._size)

    def _keep(self, link: L) -> None:
        with self._lock:
            kept = not self._closed
            if kept:
                self._idle.append((time.monotonic(), link))
        if not kept:
            link.close()

    def _emptied(self) -> list[L]:
        with self._lock:
            found, self._idle = self._idle, []
        return [link for _, link in found]

    def _rested(self) -> L | None:
        with self._lock:
            since, link = self._idle.pop() if self._idle else (0.0, None)
        if link is None or time.monotonic() - since < LONGEST_REST:
            return link
        # What lies below has rested for longer.
        self._abandon([link, *self._emptied()])
        return None

    def _abandon(self, links: list[L]) -> None:
        for link in links:
            link.abandon()


_ALIVE: weakref.WeakSet[Pool[Any]] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in _ALIVE:
        pool.forget()


os.register_at_fork(after_in_child=_after_fork)
