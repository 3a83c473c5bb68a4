"""The time of a call to a peer beside that of a plain pooled session of requests.

Both ask the same server, a process of its own on loopback, over connections that are kept. They
take turns in short rounds; the medians count. The peer is called inside a request, so that the id
goes along. A plain session looks for proxies and passwords in the environment at each call, which
a peer does not; hence the second session, which does not either.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import requests

from buttress import create_app
from buttress.peers import Peer

#: What is asked for: a small JSON document.
BODY = b'{"id": 42, "name": "item"}'
SERVER = f"""
import socketserver

ANSWER = (
    b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n"
    b"Content-Length: {len(BODY)}\\r\\n\\r\\n" + {BODY!r}
)


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        for line in self.rfile:
            if line == b"\\r\\n":
                self.wfile.write(ANSWER)


socketserver.ThreadingTCPServer.daemon_threads = True
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""


class PeerTimes(NamedTuple):
    """Microseconds per call: of the peer, of a plain session, and of one without ``trust_env``."""

    peer: float
    plain: float
    lean: float

    @property
    def ratio(self) -> float:
        """Divide the peer's time by the plain session's."""
        return self.peer / self.plain


def peer_times(rounds: int = 9, calls: int = 400) -> PeerTimes:
    """Measure all, in turns; the first round warms up and does not count."""
    with _server() as port, _peer(port) as peer, _sessions() as (plain, lean):
        url = f"http://127.0.0.1:{port}/items/42"
        subjects = (
            lambda: peer.get("items/42"),
            lambda: plain.get(url, timeout=(2, 10)),
            lambda: lean.get(url, timeout=(2, 10)),
        )
        samples: list[list[float]] = [[], [], []]
        for number in range(rounds + 1):
            for times, call in zip(samples, subjects, strict=True):
                taken = _timed(call, calls)
                if number:
                    times.append(taken)
    return PeerTimes(*map(median, samples))


def _timed(call: Callable[[], requests.Response], calls: int) -> float:
    if call().content != BODY:
        raise ValueError("The server answers something else than it should.")
    gc.collect()
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) / calls * 1e6


@contextmanager
def _server() -> Iterator[int]:
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline()) if process.stdout else 0
        finally:
            process.terminate()


@contextmanager
def _sessions() -> Iterator[tuple[requests.Session, requests.Session]]:
    with requests.Session() as plain, requests.Session() as lean:
        lean.trust_env = False
        yield plain, lean


@contextmanager
def _peer(port: int) -> Iterator[Peer]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bench_peers").mkdir()
        (Path(folder) / "bench_peers" / "__init__.py").touch()
        sys.path.insert(0, folder)
        app = create_app(
            "bench_peers",
            extensions=["web", "health", "peers"],
            config={"MODE": "testing", "PEERS_ADDRESSES": {"items": f"127.0.0.1:{port}"}},
        )
        try:
            with app.test_request_context():
                yield app.peer("items")
        finally:
            app.close()
            sys.path.remove(folder)
