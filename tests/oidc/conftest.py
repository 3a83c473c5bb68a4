"""A provider on this machine that answers as a test wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

Answer = Callable[[BaseHTTPRequestHandler], None]


def saying(status: int, content: bytes, **headers: str) -> Answer:
    """Give an answer."""

    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(to: BaseHTTPRequestHandler) -> None:
        to.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **named}.items():
            to.send_header(name, value)
        to.end_headers()
        to.wfile.write(content)

    return answer


class Answering:
    """What a provider answers, and what it was asked."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/x"
        self.answer = saying(200, b"{}")
        self.asked: list[tuple[str, str, dict[str, str]]] = []


@pytest.fixture
def provider() -> Iterator[Answering]:
    """Give a provider that answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.asked.append((self.command, self.path, dict(self.headers)))
            with suppress(OSError):  # the client has left
                made.answer(self)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    made = Answering(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
