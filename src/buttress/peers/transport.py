"""How requests are sent: attempts, timeouts, the breaker, and pooled connections."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from requests import PreparedRequest, Response
from requests import exceptions as known
from requests.adapters import HTTPAdapter
from urllib3.util import Timeout

from buttress.backoff import pauses
from buttress.lifecycle import Deadline
from buttress.peers.breaker import CircuitOpen
from buttress.peers.circuit import Circuit
from buttress.peers.failure import BrokenAnswer, PeerTimeout, PeerUnavailable
from buttress.peers.retry import (
    FIRST_PAUSE,
    GATEWAY,
    LONGEST_PAUSE,
    Body,
    Outcome,
    may_repeat,
    wait_before,
)
from buttress.web import current_deadline

#: What counts as a failure of the other side.
FAILURES = (known.ConnectionError, known.Timeout, known.ChunkedEncodingError, BrokenAnswer)


@dataclass(frozen=True)
class Call:
    """One request, with what requests passes along with it."""

    request: PreparedRequest
    body: Body
    timeout: Any
    deadline: Deadline | None
    options: dict[str, Any]

    def left(self, peer: str) -> Any:
        """Give the timeout of the next attempt. Raises `PeerTimeout` where no time is left."""
        if self.deadline is None:
            return self.timeout
        left = self.deadline.left()
        if left <= 0:
            raise PeerTimeout(peer, "the deadline of the request has passed", self.request)
        return limited(self.timeout, left)

    def has_time_for(self, pause: float) -> bool:
        """Tell whether the deadline comes after a pause."""
        return self.deadline is None or pause < self.deadline.left()


class Transport(HTTPAdapter):
    """Send requests by the rules of their circuits, over connections that are kept."""

    def __init__(self, find_circuit: Callable[[str], Circuit], retries: int, pool: int) -> None:
        self._find_circuit = find_circuit
        self._retries = retries
        self._pool = pool
        super().__init__(pool_connections=MOST_POOLS, pool_maxsize=pool)
        _ALIVE.add(self)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """Send one request, again where that is allowed, and give the last answer."""
        options = {"stream": stream, "verify": verify, "cert": cert, "proxies": proxies}
        call = Call(request, Body(request), timeout, current_deadline(), options)
        circuit = self._find_circuit(request.url or "")
        circuit.budget.call()
        outcome = self._attempt(circuit, call)
        if not isinstance(outcome, Response) or outcome.status_code in GATEWAY:
            outcome = self._again(circuit, call, outcome)
        if isinstance(outcome, Response):
            return outcome
        try:
            raise outcome
        finally:
            # An error holds the frames that it went through, and these would hold the error.
            del outcome

    def exchange(self, call: Call, timeout: Any) -> Response:
        """Send once, and read the answer unless it is streamed."""
        try:
            response = super().send(call.request, timeout=timeout, **call.options)
        except known.InvalidHeader as error:
            # The headers of the call were looked at when it was prepared.
            raise BrokenAnswer(error, request=call.request) from error
        if not call.options["stream"]:
            # An answer that breaks off is a failed attempt, too.
            _ = response.content
        return response

    def renew(self) -> None:
        """Forget the connections; in a fork they are the parent's."""
        self.proxy_manager = {}
        self.init_poolmanager(MOST_POOLS, self._pool)

    def _again(self, circuit: Circuit, call: Call, outcome: Outcome) -> Outcome:
        for pause in islice(pauses(FIRST_PAUSE, LONGEST_PAUSE), self._retries):
            wait = wait_before(outcome, pause)
            if wait is None or not call.has_time_for(wait) or circuit.breaker.left():
                break
            if (
                not may_repeat(call.request.method, call.body, outcome)
                or not circuit.budget.retry()
            ):
                break
            if isinstance(outcome, Response):
                outcome.close()
            time.sleep(wait)
            call.body.rewind()
            outcome = self._attempt(circuit, call)
        return outcome

    def _attempt(self, circuit: Circuit, call: Call) -> Outcome:
        """Give the answer, or the error that says something of the other side."""
        timeout = call.left(circuit.name)
        try:
            probe = circuit.breaker.enter()
        except CircuitOpen as open_:
            return PeerUnavailable(circuit.name, str(open_), call.request, retry_after=open_.left)
        failed: bool | None = None
        try:
            response = self.exchange(call, timeout)
            failed = response.status_code in GATEWAY
        except FAILURES as error:
            failed = True
            return error
        finally:
            circuit.breaker.leave(probe, failed=failed)
        return response


#: Hosts to which connections are kept at the same time.
MOST_POOLS = 32


def limited(timeout: Any, left: float) -> Timeout:
    """Shorten a timeout, in any form that requests takes, to the seconds that are left."""
    if isinstance(timeout, Timeout):
        limits = timeout.clone()
    elif isinstance(timeout, tuple):
        limits = Timeout(connect=timeout[0], read=timeout[1])
    else:
        limits = Timeout(connect=timeout, read=timeout)
    given = limits.total
    limits.total = min(left, given) if isinstance(given, int | float) else left
    return limits


_ALIVE: weakref.WeakSet[Transport] = weakref.WeakSet()


def _after_fork() -> None:
    for transport in _ALIVE:
        transport.renew()


os.register_at_fork(after_in_child=_after_fork)
