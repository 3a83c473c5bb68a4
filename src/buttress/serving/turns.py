"""Turns: a worker handles so many requests at a time, and probes never wait for others."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection
from io import BytesIO
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from buttress.serving.failure import CLOSE, FAILURES, TEXT, UNAVAILABLE, log_failure

if TYPE_CHECKING:
    from buttress.serving.exchange import Outlet

logger = logging.getLogger("buttress.serving")

#: Bytes of the largest body that is read before its request waits; mostly it is there already.
SMALL_BODY = 65_536
#: Seconds in which quick requests give turns back; those that wait then need not change threads.
MOMENT = 0.001
RETRY = ("Retry-After", "1")


class Waiting(NamedTuple):
    """A request that waits for a turn, and what wakes its thread where it holds one."""

    outlet: Outlet
    scope: dict[str, Any]
    asleep: Lock | None = None


class Turns:
    """Call ``answer`` for each request once one of ``count`` turns is free.

    A request that waits holds no thread, and whoever gives a turn back answers it; so there are
    threads for ``probes``, the paths that need no turn. Only a request with a large body keeps its
    thread, since granian closes a body when that returns. Beyond ``most`` that wait, which there
    are only where clients went away, requests are refused.
    """

    def __init__(
        self,
        count: int,
        answer: Callable[[Outlet, dict[str, Any]], None],
        probes: Collection[str] = (),
        most: int = 1024,
    ) -> None:
        self._free = [None] * count
        self._answer = answer
        self._probes = probes
        self._most = most
        self._waiting: deque[Waiting] = deque()
        #: Requests that had a turn, about, and how many they were when a thread last looked.
        self._answered = self._seen = 0

    def __call__(self, outlet: Outlet, scope: dict[str, Any]) -> None:
        """Answer a request, or let it wait."""
        try:
            self._free.pop()
        except IndexError:
            self._wait(outlet, scope)
        else:
            self._use(outlet, scope)
        if self._waiting:
            self._go_on(scope)

    def _use(self, outlet: Outlet, scope: dict[str, Any]) -> None:
        try:
            self._answer(outlet, scope)
        except FAILURES as error:
            log_failure(scope, error)  # granian answers with 500 where nothing else did
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
        elif len(self._waiting) >= self._most:
            logger.warning("%d requests wait already: one is refused", self._most)
            outlet.response_bytes(503, [*TEXT, CLOSE, RETRY], UNAVAILABLE)
        elif keep_body(scope):
            self._waiting.append(Waiting(outlet, scope))
        else:
            asleep = Lock()
            asleep.acquire()
            self._waiting.append(Waiting(outlet, scope, asleep))
            self._go_on(scope)
            asleep.acquire()
            self._use(outlet, scope)

    def _go_on(self, scope: dict[str, Any]) -> None:
        """Use free turns for what waits, in this thread or, where its request needs it, another.

        It is called whenever something began to wait and whenever a turn was given back: of two
        threads that do so at once, one sees what the other did.
        """
        if not may_have_more(scope):
            self._use_free()
        elif self._free:
            Thread(target=self._use_free, name="turns", daemon=True).start()

    def _use_free(self) -> None:
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


def may_have_more(scope: dict[str, Any]) -> bool:
    """Tell whether a body may be unread in part, which granian drops when its thread returns.

    Until then a client that sends it, or asks again on its connection, gets no further.
    """
    if type(scope.get("wsgi.input")) is BytesIO:
        return False
    return "HTTP_TRANSFER_ENCODING" in scope or scope.get("CONTENT_LENGTH", "0") != "0"
