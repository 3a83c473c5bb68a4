"""A way to the broker that can be cut, made deaf, and wrapped in TLS."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit


class Forwarder(socketserver.ThreadingTCPServer):
    """Pass bytes between its clients and the broker of a URL."""

    daemon_threads = True

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        self.parts = urlsplit(url)
        self.tls = tls
        #: True lets the broker's words be lost, as in a network that is broken one way.
        self.deaf = False
        self.count = 0
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        """Give the URL of the broker by this way."""
        user = self.parts.netloc.rpartition("@")[0]
        scheme, host = ("amqps", "localhost") if self.tls else ("amqp", "127.0.0.1")
        return f"{scheme}://{user}@{host}:{self.server_address[1]}{self.parts.path}"

    def cut(self) -> None:
        """End every connection."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def keep(self, *ends: socket.socket) -> None:
        """Remember two ends, to cut them."""
        self.count += 1
        self._open += ends

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: who is refused by its client's TLS is what a test looks at."""


class Passage(socketserver.BaseRequestHandler):
    """One connection, both ways."""

    server: Forwarder

    def handle(self) -> None:
        """Pass bytes until either side ends."""
        tls, parts = self.server.tls, self.server.parts
        near = tls.wrap_socket(self.request, server_side=True) if tls else self.request
        with near, socket.create_connection((parts.hostname or "", parts.port or 0)) as far:
            self.server.keep(near, far)
            back = threading.Thread(target=self._pass, args=(far, near, True), daemon=True)
            back.start()
            self._pass(near, far, False)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket, back: bool) -> None:
        with suppress(OSError):
            while told := source.recv(65536):
                if not (back and self.server.deaf):
                    target.sendall(told)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def forwarder(url: str, tls: ssl.SSLContext | None = None) -> Iterator[Forwarder]:
    """Open a way to the broker for one test."""
    with Forwarder(url, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            server.cut()
            thread.join()
