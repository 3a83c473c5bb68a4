"""bjoern: a small server in C, one thread and one request at a time in each worker."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

import bjoern

from buttress.lifecycle import Deadline
from buttress.serving.failure import BrokenOff
from buttress.serving.gateway import Gateway
from buttress.serving.intake import SETTLE
from buttress.serving.supervisor import Supervisor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from buttress.service import Service

#: What bjoern cannot be told.
NOT_OFFERED = frozenset({"threads", "connections", "keep_alive", "header_limit"})


class BjoernServer:
    """bjoern, as the Gnar document describes it; it has no timeouts and no limits of its own."""

    ignores: ClassVar[frozenset[str]] = NOT_OFFERED

    def serve(self, app: Service) -> int:
        """Serve with bjoern under our supervisor."""
        return Supervisor(app, BjoernEngine).run()


class BjoernEngine:
    """bjoern's loop in the main thread of this process."""

    def __init__(self) -> None:
        self._gateway: Gateway | None = None
        self._runs = False

    def serve(self, app: Service, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Answer requests until SIGINT, which bjoern takes for the end of its loop."""
        self._gateway = Gateway(app)
        listener.setblocking(False)
        sys.excepthook = _print_what_is_new  # bjoern writes what a body raises by it
        self._runs = True
        ready()
        unix = listener.family == socket.AF_UNIX
        with listener:
            bjoern.server_run(listener, Apart(self._gateway, unix=unix))
        self._runs = False

    def leave(self) -> None:
        """Tell each client that its connection ends with the next answer."""
        if self._gateway is not None:
            self._gateway.leaving = True

    def stop(self, deadline: Deadline) -> None:
        """End the loop at a quiet moment, since it would drop what it has accepted and not read."""
        quiet = 0.0
        while self._gateway is not None and quiet < SETTLE and not deadline.passed:
            time.sleep(SETTLE / 4)
            quiet = 0.0 if self._gateway.busy else quiet + SETTLE / 4
        if self._runs:
            os.kill(os.getpid(), signal.SIGINT)

    def idle(self) -> bool:
        """Tell whether no request is being answered; bjoern waits for kept connections."""
        return self._gateway is None or not self._gateway.busy


def _print_what_is_new(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if kind is not BrokenOff:
        sys.__excepthook__(kind, error, trace)


class Apart:
    """An application whose requests do not see each other's context variables (PEP 567).

    bjoern answers all of them in one thread and fetches the pieces of several bodies by turns;
    ``request`` and ``g`` in a stream would be those of whichever request came last.
    """

    def __init__(self, app: WSGIApplication, *, unix: bool = False) -> None:
        self._app = app
        self._unix = unix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._unix:
            environ["REMOTE_ADDR"] = ""  # bjoern takes chance bytes for an address
        context = copy_context()
        return _BodyApart(context.run(self._app, environ, start_response), context)


class _BodyApart:
    """A body that is read and closed in the context of its request."""

    def __init__(self, body: Iterable[bytes], context: Context) -> None:
        self._body = body
        self._pieces = iter(body)
        self._context = context

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(next, self._pieces)

    def close(self) -> None:
        if hasattr(self._body, "close"):
            self._context.run(self._body.close)
