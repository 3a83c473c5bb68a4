"""Turns: a worker handles so many requests at a time, and probes never wait for others."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from buttress.serving.exchange import Outlet

#: Bytes of the largest body that is read before its request waits; mostly it is there already.
SMALL_BODY = 65_536
#: Seconds in which quick requests give turns back; those that wait then need not change threads.
MOMENT = 0.001


class Waiting(NamedTuple):
    """A request that waits for a turn, and what wakes its thread where it holds one."""

    outlet: Outlet
    scope: dict[str, Any]
    asleep: Lock | None = None


class Turns:
    """Call ``answer`` for each request once one of ``count`` turns is free.

    A request that waits holds no thread, and whoever gives a turn back answers it; so there are
    threads for ``probes``, the paths that need no turn. Only a request with a large body keeps its
    thread, since granian closes a body when that returns.
    """

    def __init__(
        self,
        count: int,
        answer: Callable[[Outlet, dict[str, Any]], None],
        probes: Collection[str] = (),
    ) -> None:
        self._free = [None] * count
        self._answer = answer
        self._probes = probes
        self._waiting: deque[Waiting] = deque()
        #: Requests that had a turn, about, and how many they were when a thread last looked.
        self._answered = self._seen = 0

    def __call__(self, outlet: Outlet, scope: dict[str, Any]) -> None:
        """Answer a request, or let it wait."""
        try:
            self._free.pop()
        except IndexError:
            self._wait(outlet, scope)
            return
        self._use(outlet, scope)
        if self._waiting:
            self._go_on()

    def _use(self, outlet: Outlet, scope: dict[str, Any]) -> None:
        try:
            self._answer(outlet, scope)
        finally:
            self._answered += 1
            self._free.append(None)

    def _gets_one_soon(self) -> bool:
        """Tell whether a turn could be had within a moment; where all are slow, do not try."""
        if self._answered == self._seen:
            return False
        self._seen = self._answered
        time.sleep(MOMENT)
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def _wait(self, outlet: Outlet, scope: dict[str, Any]) -> None:
        if scope["PATH_INFO"] in self._probes:
            self._answer(outlet, scope)
        elif self._gets_one_soon():
            self._use(outlet, scope)
        elif keep_body(scope):
            self._waiting.append(Waiting(outlet, scope))
        else:
            asleep = Lock()
            asleep.acquire()
            self._waiting.append(Waiting(outlet, scope, asleep))
            self._go_on()
            asleep.acquire()
            self._use(outlet, scope)
        self._go_on()

    def _go_on(self) -> None:
        """Use free turns for what waits.

        It is called whenever something began to wait and whenever a turn was given back: of two
        threads that do so at once, one sees what the other did.
        """
        while self._waiting:
            try:
                self._free.pop()
            except IndexError:
                return
            try:
                outlet, scope, asleep = self._waiting.popleft()
            except IndexError:
                self._free.append(None)
                continue
            if asleep is None:
                self._use(outlet, scope)
            else:
                asleep.release()  # with it goes the turn


def keep_body(scope: dict[str, Any]) -> bool:
    """Read the body of a request, so that it can wait without its thread; not a large one."""
    if "HTTP_TRANSFER_ENCODING" in scope:
        return False
    length = int(scope.get("CONTENT_LENGTH") or 0)
    if length > SMALL_BODY:
        return False
    scope["wsgi.input"] = BytesIO(scope["wsgi.input"].read(length) if length else b"")
    return True
