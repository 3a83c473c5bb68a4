"""The default server. Everything that Buttress takes from granian's private side is here.

granian's own master gives up when workers die soon after one another and leaves orphans when it
is killed, so only its worker is used, under our supervisor. It is pinned ``<2.9``; a newer one is
a change to this file.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from granian._futures import _new_cbscheduler
from granian._granian import SocketHolder, WorkerSignal, WSGIWorker
from granian.http import HTTP1Settings

from buttress.lifecycle import Deadline
from buttress.serving import intake
from buttress.serving.exchange import Exchange
from buttress.serving.supervisor import Supervisor
from buttress.serving.turns import Turns
from buttress.web import edge_of

if TYPE_CHECKING:
    from buttress.service import Service
    from buttress.serving.settings import ServingSettings

#: Threads of the runtime that reads and writes; the application does not run in them.
RUNTIME_THREADS = 1
#: As granian's default: pieces of large bodies that wait to be handled.
RUNTIME_BLOCKING_THREADS = 512
#: Threads beside those of the application: they answer probes, and let other requests wait.
SPARE_THREADS = 2
#: Seconds after which a thread that is not needed ends.
THREAD_IDLE = 30
#: TLS is the business of a proxy: enabled, certificate, key, password, version, CA, CRL, verify.
NO_TLS: tuple[Any, ...] = (False, None, None, None, "tls1.3", None, [], False)


class GranianServer:
    """granian: an HTTP server in Rust, the application in ``THREADS`` threads per worker."""

    ignores: ClassVar[frozenset[str]] = frozenset()

    def serve(self, app: Service) -> int:
        """Serve with granian's workers under our supervisor."""
        return Supervisor(app, GranianEngine).run()


class GranianEngine:
    """granian's WSGI worker in this process."""

    def __init__(self) -> None:
        logging.getLogger("_granian").setLevel(logging.WARNING)
        self._signal = WorkerSignal()
        self._exchange: Exchange | None = None
        self._descriptor: int | None = None

    def serve(self, app: Service, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Answer requests until stopped and those that were accepted are answered."""
        settings = app.settings.serving
        ended = threading.Event()
        self._signal.add_cb(ended.set)
        self._exchange = Exchange(app, multiprocess=settings.workers > 1)
        unix = listener.family == socket.AF_UNIX
        # granian closes the descriptor itself, as soon as it stops accepting.
        self._descriptor = listener.detach()
        worker = _worker((self._descriptor, unix, settings.backlog), settings)
        loop = asyncio.new_event_loop()
        begin: Callable[..., None] = worker.serve_mtr_uds if unix else worker.serve_mtr
        # Bound methods, since calling an object costs more.
        turns = Turns(
            settings.threads, self._exchange.__call__, edge_of(app).probes, settings.connections
        )
        scheduler = _new_cbscheduler(loop, turns.__call__, impl_asyncio=True)  # type: ignore[no-untyped-call]  # private
        begin(scheduler, loop, self._signal)
        ready()
        ended.wait()

    def leave(self) -> None:
        """Close each connection with its next answer."""
        if self._exchange is not None:
            self._exchange.leaving = True

    def stop(self, deadline: Deadline) -> None:
        """Accept no more, and let `serve` return once every answer is sent."""
        if self._descriptor is not None:
            # granian drops what it has accepted and not yet read.
            intake.divert(self._descriptor)
            time.sleep(min(intake.SETTLE, deadline.left()))
        self._signal.set()

    def idle(self) -> bool:
        """Leave it to the server, which closes kept connections."""
        return False


def _worker(socket_of: tuple[Any, ...], settings: ServingSettings) -> Any:
    http = HTTP1Settings(
        header_read_timeout=max(1, settings.keep_alive) * 1000,
        keep_alive=settings.keep_alive > 0,
        max_buffer_size=settings.header_limit,
    )
    worker, ipc, http2, static, metrics = 1, None, None, None, (None, None)
    # Tuples, since granian's own annotations of these two are behind their code.
    arguments: tuple[Any, ...] = (
        worker,
        (None, SocketHolder(*socket_of)),
        ipc,
        RUNTIME_THREADS,
        RUNTIME_BLOCKING_THREADS,
        settings.threads + SPARE_THREADS,
        THREAD_IDLE,
        settings.connections,
        "1",
        http,
        http2,
        static,
        *NO_TLS,
        metrics,
    )
    return WSGIWorker(*arguments)
