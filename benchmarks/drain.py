"""Count the requests that are lost when a service under load is told to end, again and again.

Each round starts a service with two workers, puts it under load, sends SIGTERM to its supervisor,
and waits for it to exit. The requests are a mix: answered at once, after 0.2 s, streamed for
0.2 s, on connections that are kept and on new ones.

*Lost* is a request whose connection was established and that did not get its complete, correct
answer: a reset, an early end, a wrong status, a wrong body, no answer within 10 s. A refused
connection is not lost, since nobody took the request; it is counted. Two kinds of clients are
counted apart: *balanced* ones stop asking a service whose readiness is not 200, as everything
behind a load balancer does; *heedless* ones go on until they are refused.

A request on a kept connection that the server closed at the same moment, before a byte of the
answer, is *stale*: HTTP lets a client repeat it (RFC 9112, 9.3.1), and every client does.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

APP = """
import sys
import time

from flask import Response

from buttress import create_app
from buttress.serving import serve

app = create_app("drained", env_prefix="DRAINED")


@app.get("/fast")
def fast():
    return "fast" * 100


@app.get("/slow")
def slow():
    time.sleep(0.2)
    return "slow" * 100


@app.get("/stream")
def stream():
    def pieces():
        for _ in range(10):
            time.sleep(0.02)
            yield "stream" * 100
    return Response(pieces())


if __name__ == "__main__":
    sys.exit(serve(app))
"""
BODIES = {"/fast": b"fast" * 100, "/slow": b"slow" * 100, "/stream": b"stream" * 1000}
#: Seconds of load before the signal, and of grace after it.
LOAD, GRACE = 0.4, 0.4
KINDS = ("balanced", "heedless")


@dataclass
class Round:
    """What the clients of one service share."""

    port: int
    ready: bool = True
    over: bool = False
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, kind: str, outcome: str) -> None:
        """Count one outcome of a kind of client."""
        self.counts[kind, outcome] += 1


def watch_readiness(shared: Round) -> None:
    """Look at readiness as a load balancer does, only more often."""
    while shared.ready:
        try:
            shared.ready = ready(shared.port)
        except OSError:
            shared.ready = False
        time.sleep(0.05)


def be_client(shared: Round, kind: str, seed: int) -> None:
    """Ask one thing after the other until the service is gone, or not ready."""
    chance = random.Random(seed)
    connection: http.client.HTTPConnection | None = None
    while not shared.over and (shared.ready or kind == "heedless"):
        reused = connection is not None
        try:
            connection = connection or connect(shared.port)
        except OSError:
            shared.count(kind, "refused")
            return
        path = chance.choice([*BODIES])
        outcome, stays = request(connection, path, reused=reused)
        shared.count(kind, outcome)
        if not stays or chance.random() < 0.5:
            connection.close()
            connection = None
    if connection is not None:
        connection.close()


def request(connection: http.client.HTTPConnection, path: str, *, reused: bool) -> tuple[str, bool]:
    """Make one request; give its outcome, and whether the connection stays."""
    try:
        status, body, stays = ask(connection, path)
    except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
        return ("stale" if reused else "lost"), False
    except (OSError, http.client.HTTPException):
        return "lost", False
    return ("answered" if (status, body) == (200, BODIES[path]) else "lost"), stays


def ready(port: int) -> bool:
    """Tell whether the service is ready. Raises `OSError` where nobody listens."""
    with closing(connect(port)) as connection:
        return ask(connection, "/readyz")[0] == 200


def connect(port: int) -> http.client.HTTPConnection:
    """Open a connection; raises `OSError` where it is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.connect()
    return connection


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes, bool]:
    """Give status and body, and whether the connection stays."""
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read(), not response.will_close


@contextmanager
def service(folder: Path, server: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service, and see that it is gone afterwards."""
    environ = {**os.environ, "DRAINED_SERVER": server, "DRAINED_PORT": str(port)}
    environ |= {"DRAINED_WORKERS": "2", "DRAINED_DRAIN_GRACE": str(GRACE)}
    environ |= {"DRAINED_HOST": "127.0.0.1", "DRAINED_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen([sys.executable, folder / "run.py"], env=environ)
    try:
        wait_until_ready(process, port)
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the service answers. Raises `RuntimeError` where it ends before."""
    while process.poll() is None:
        try:
            if ready(port):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the service ended with {process.returncode}")


def one_round(folder: Path, server: str, clients: int, seed: int) -> Counter[tuple[str, str]]:
    """Start, load, end; give the counts, with the exit code among them."""
    port = free_port()
    with service(folder, server, port) as process:
        shared = Round(port)
        threads = [threading.Thread(target=watch_readiness, args=(shared,))]
        for number in range(clients):
            arguments = (shared, KINDS[number % 2], seed * 1000 + number)
            threads.append(threading.Thread(target=be_client, args=arguments))
        for thread in threads:
            thread.start()
        time.sleep(LOAD * (0.5 + random.Random(seed).random()))
        process.send_signal(signal.SIGTERM)
        shared.counts["exit", str(process.wait(40))] += 1
        shared.over = True
        for thread in threads:
            thread.join()
    return shared.counts


def free_port() -> int:
    """Find a port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def write_app(folder: Path) -> None:
    """Write the service under test."""
    (folder / "drained").mkdir()
    (folder / "drained" / "__init__.py").write_text("")
    (folder / "run.py").write_text(APP)


def main() -> int:
    """Print a line of counts per server; exit with 1 where a balanced client lost a request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200, help="SIGTERMs per server")
    parser.add_argument("--clients", type=int, default=8, help="half balanced, half heedless")
    parser.add_argument("--at-once", type=int, default=4, help="rounds that run side by side")
    parser.add_argument("--servers", nargs="+", default=["granian", "gunicorn", "bjoern"])
    options = parser.parse_args()
    failed = False
    for server in options.servers:
        total: Counter[tuple[str, str]] = Counter()
        with tempfile.TemporaryDirectory() as name:
            write_app(Path(name))
            work = partial(one_round, Path(name), server, options.clients)
            with ThreadPoolExecutor(options.at_once) as pool:
                for counts in pool.map(work, range(options.rounds)):
                    total += counts
        failed |= report(server, options.rounds, total)
    return int(failed)


def report(server: str, rounds: int, total: Counter[tuple[str, str]]) -> bool:
    """Print the counts of a server; tell whether something failed."""
    print(f"{server}: {rounds} SIGTERMs, {total['exit', '0']} of them ended with exit code 0")
    for kind in KINDS:
        named = ("answered", "refused", "stale", "lost")
        print(f"  {kind:9}", ", ".join(f"{total[kind, it]} {it}" for it in named))
    return total["balanced", "lost"] > 0 or total["exit", "0"] < rounds


if __name__ == "__main__":
    sys.exit(main())
