"""Another service: a real HTTP server on loopback that answers by a script."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

RESET = struct.pack("ii", 1, 0)


class Seen(NamedTuple):
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # Small answers leave in one packet.
    wbufsize = 65536
    server: Other

    def handle_one_request(self) -> None:
        """Take the next answer of the script, whatever the method."""
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            self.close_connection = self.headers.get("Connection") == "close"
            self.server.answer(self)
            self.wfile.flush()

    def body(self) -> bytes:
        """Read the body, with its length or in chunks."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Write an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


Answer = Callable[[Handler], None]


class Other(ThreadingHTTPServer):
    """A server that gives its answers in turn, the last one for ever."""

    daemon_threads = True

    def __init__(self, *answers: Answer, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.address = "127.0.0.1:{}".format(*self.server_address[1:])
        self.url = f"http://{self.address}"
        self.answers = list(answers) or [said(200, b"here")]
        self.seen: list[Seen] = []
        self.connections: list[socket.socket] = []
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection."""
        self.connections.append(request)
        super().process_request(request, client_address)

    def answer(self, handler: Handler) -> None:
        """Note the request, and answer it."""
        body = handler.body()
        with self._lock:
            self.seen.append(Seen(handler.command, handler.path, dict(handler.headers), body))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer(handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""

    def is_left(self) -> bool:
        """Tell whether every client closes its connection within a second."""
        end = time.monotonic() + 1
        while time.monotonic() < end and any(it.fileno() >= 0 for it in self.connections):
            time.sleep(0.01)
        return all(it.fileno() < 0 for it in self.connections)

    def hang_up(self) -> None:
        """Close every connection, as a server does that is restarted."""
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def said(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with this."""
    return lambda handler: handler.say(status, body, **headers)


def echo(handler: Handler) -> None:
    """Tell the headers of the request."""
    handler.say(200, json.dumps(dict(handler.headers)).encode())


def slow(seconds: float) -> Answer:
    """Answer late."""

    def answer(handler: Handler) -> None:
        time.sleep(seconds)
        handler.say(200, b"late")

    return answer


def truncated(handler: Handler) -> None:
    """Break off in the middle of the body."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"half")
    handler.close_connection = True


def silent(handler: Handler) -> None:
    """Close the connection instead of an answer."""
    handler.close_connection = True


def reset(handler: Handler) -> None:
    """Reset the connection instead of an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    handler.connection.close()
    handler.close_connection = True


@contextmanager
def others() -> Iterator[Callable[..., Other]]:
    """Give a function that starts servers; all are ended after the block."""
    running: list[tuple[Other, threading.Thread]] = []

    def start(*answers: Answer, port: int = 0) -> Other:
        other = Other(*answers, port=port)
        thread = threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        running.append((other, thread))
        return other

    yield start
    for other, thread in running:
        other.shutdown()
        thread.join()
        other.server_close()
        other.hang_up()


def unused_address() -> str:
    """Give an address on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return "127.0.0.1:{}".format(*probe.getsockname()[1:])
