"""The development server: werkzeug's, on loopback, loading the service again when files change."""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from buttress.discovery import watched_files
from buttress.errors import ServerError, SetupError
from buttress.lifecycle import Deadline
from buttress.loopback import is_loopback
from buttress.serving.address import UNIX, close_listener, host_of, listen, url_of
from buttress.serving.gateway import Gateway
from buttress.serving.reloader import INTERVAL, RELOAD, Reloader, in_child
from buttress.serving.signals import STOP_SIGNALS, Signals
from buttress.serving.watch import Watch, loaded_files, python_files
from buttress.serving.worker import leave_process

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.serving")


UNUSED = frozenset(
    "workers threads connections keep_alive header_limit start_timeout drain_grace".split()
)


class DevelopmentServer:
    """werkzeug's server in threads, with a reloader; never for production."""

    ignores: ClassVar[frozenset[str]] = UNUSED

    def serve(self, app: Service) -> int:
        """Serve this application; a change runs the whole command again."""
        return serve_development(lambda: app)


def serve_development(load: Callable[[], Service]) -> int:
    """Serve what ``load`` gives: see `buttress.serving.serve_development`.

    This process only leads a child, which runs the same command.
    """
    return _Development(load).run() if in_child() else Reloader().run()


class _Development:
    """One life of the application between two changes."""

    def __init__(self, load: Callable[[], Service]) -> None:
        self._load = load
        self._app: Service | None = None
        self._parent = os.getppid()

    def run(self) -> int:
        with Signals(*STOP_SIGNALS) as signals:
            since = time.time_ns()
            self._app = self._loaded()
            server = None if self._app is None else _running(self._app)
            code = self._wait(signals, Watch(self._files, since))
            if server is not None and not server.end():
                leave_process(code)
        return code

    def _loaded(self) -> Service | None:
        try:
            app = self._load()
            app.start()
        except SetupError as error:
            if error.__cause__ is None:
                raise
            logger.exception("The service does not load; it is watched until it is mended")
        except (Exception, SystemExit):
            logger.exception("The service does not load; it is watched until it is mended")
        else:
            return app
        return None

    def _wait(self, signals: Signals, watch: Watch) -> int:
        """Wait for a signal, a change or the end of the reloader, and give the exit code."""
        while os.getppid() == self._parent:
            select.select([signals], [], [], INTERVAL)
            if signals.read():
                return 0
            if changed := watch.changed():
                logger.info("%s changed: loading again", changed)
                return RELOAD
        return 0

    def _files(self) -> list[Path]:
        near = python_files(Path.cwd()) if self._app is None else watched_files(self._app)
        return [*near, *loaded_files()]


def _running(app: Service) -> _Running:
    try:
        return _Running(app)
    except ServerError:
        app.close()
        raise


class _Running:
    """The application as it is served."""

    def __init__(self, app: Service) -> None:
        self._app = app
        self._listener = _listen(app)
        self._server = _server(app, self._listener)
        self._thread = threading.Thread(target=self._server.serve_forever, name="development")
        self._thread.daemon = True
        self._thread.start()
        app.announce()
        logger.info("Serving on %s for development", url_of(self._listener))

    def end(self) -> bool:
        """Finish what is in flight and close; tell whether all ended before the deadline."""
        deadline = Deadline(self._app.settings.serving.drain_timeout)
        self._server.shutdown()
        close_listener(self._listener)
        drain = threading.Thread(target=self._app.lifecycle.drain, args=(deadline,), daemon=True)
        finish = threading.Thread(target=self._server.server_close, daemon=True)
        for thread in (drain, finish):
            thread.start()
        for thread in (drain, finish):
            thread.join(deadline.left())
        try:
            self._app.close()
        except ExceptionGroup:  # each failure was logged where it happened
            return False
        return not finish.is_alive()


class _Handler(WSGIRequestHandler):
    """A handler whose access records are the log extension's."""

    def log_request(self, *args: Any) -> None:
        """Write nothing."""


class _Server(ThreadedWSGIServer):
    """A server that waits for its threads when it is closed."""

    daemon_threads = False
    block_on_close = True


def _server(app: Service, listener: socket.socket) -> _Server:
    name = listener.getsockname()
    host, port = (f"unix://{name}", 0) if isinstance(name, str) else name[:2]
    return _Server(host, port, Gateway(app), _Handler, fd=listener.fileno())


def _listen(app: Service) -> socket.socket:
    settings = app.settings.serving
    host = host_of(app)
    if not (settings.open_development or _is_local(host)):
        raise ServerError(
            f"The development server shows source code, so it listens on loopback only and not on "
            f"HOST '{host}'. In a container OPEN_DEVELOPMENT=true lets it."
        )
    return listen(host, settings.port, settings.backlog)


def _is_local(host: str) -> bool:
    return host.startswith(UNIX) or is_loopback(host)
