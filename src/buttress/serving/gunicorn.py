"""gunicorn: its threaded worker, under our supervisor instead of gunicorn's arbiter.

So a drain, a worker that dies and a worker that cannot start are the same with every server. What
is taken from gunicorn beyond its documented hooks is in this file.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from buttress.lifecycle import Deadline
from buttress.serving.failure import BrokenOff
from buttress.serving.gateway import Gateway
from buttress.serving.supervisor import Supervisor

if TYPE_CHECKING:
    from buttress.service import Service
    from buttress.serving.settings import ServingSettings

#: gunicorn's own limit of a request line; it takes no higher one.
LONGEST_LINE = 8190


class GunicornServer:
    """gunicorn: HTTP in Python, the application in ``THREADS`` threads per worker."""

    ignores: ClassVar[frozenset[str]] = frozenset()

    def serve(self, app: Service) -> int:
        """Serve with gunicorn's threaded workers under our supervisor."""
        return Supervisor(app, GunicornEngine).run()


class GunicornEngine:
    """gunicorn's threaded worker in this process."""

    def __init__(self) -> None:
        self._config = Config()
        self._worker: _Worker | None = None

    def serve(self, app: Service, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Answer requests until stopped and those that were accepted are answered."""
        for name, value in _options(app.settings.serving).items():
            self._config.set(name, value)
        self._worker = _Worker(Gateway(app), listener, self._config, ready)
        self._worker.init_process()

    def leave(self) -> None:
        """Close each connection with its next answer."""
        if self._worker is not None:
            # No room for kept connections; those that are promised one keep their time.
            self._worker.max_keepalived = 0

    def stop(self, deadline: Deadline) -> None:
        """Let the worker's loop end."""
        if self._worker is not None:
            self._worker.handle_exit(signal.SIGTERM, None)

    def idle(self) -> bool:
        """Leave it to the server, which closes kept connections."""
        return False


def _options(settings: ServingSettings) -> dict[str, Any]:
    return {
        "threads": settings.threads,
        "worker_connections": settings.connections,
        "keepalive": settings.keep_alive,
        "graceful_timeout": int(settings.drain_timeout) + 1,
        "limit_request_line": LONGEST_LINE,
        "limit_request_field_size": settings.header_limit,
        # Whom to believe is the service's to say (WEB_TRUSTED_PROXIES); gunicorn believes whoever
        # comes from this machine.
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "forwarder_headers": "",
    }


class _Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker that leaves signals to us, and says when it accepts."""

    def __init__(
        self,
        app: Gateway,
        listener: socket.socket,
        config: Config,
        ready: Callable[[], None],
    ) -> None:
        log = _Log(config)
        super().__init__(1, os.getppid(), [listener], _Loaded(app), None, config, log)
        self.timeout = 1.0
        self._ready = ready

    def init_signals(self) -> None:
        """Leave the handlers as they are."""

    def is_parent_alive(self) -> bool:
        """Leave it to the lifeline, which begins a drain."""
        return True

    def set_accept_enabled(self, enabled: bool) -> None:
        """Close the socket as soon as the worker stops, not after its last answer."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            self.sockets[0].close()

    def run(self) -> None:
        """Say that requests are about to be accepted, and accept them."""
        self._ready()
        super().run()


class _Loaded:
    """What gunicorn calls an application: something that loads the WSGI callable."""

    def __init__(self, app: Gateway) -> None:
        self.wsgi = partial(_same, app)


def _same(app: Gateway) -> Gateway:
    return app


class _Log(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's messages go where all others do; access records are the log extension's."""

    def setup(self, cfg: Config) -> None:
        self.error_log.propagate = True

    def exception(self, *args: Any, **kwargs: Any) -> None:
        """Write what happened, unless the gateway has."""
        if not isinstance(sys.exception(), BrokenOff):
            super().exception(*args, **kwargs)

    def access(self, *args: object) -> None:
        """Write nothing."""
