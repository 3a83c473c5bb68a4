"""A signal drains the service: nothing that was accepted is lost."""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers import require_server
from tests.serving.running import Running

Start = Callable[..., Running]
SERVERS = ("granian", "gunicorn", "bjoern")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """Name each production server in turn."""
    require_server(request.param)
    return str(request.param)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_requests_finish(start: Start, server: str, number: signal.Signals) -> None:
    """SIGTERM and SIGINT let the request in flight finish; the exit code is 0."""
    running = start(SERVER=server, WORKERS=2)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(running.ask, "/slow?seconds=1")
        running.until("has begun")
        running.signal(number)
        assert slow.result().body == b"slow but whole"
    assert running.ended() == 0
    assert running.text().count("closed") == 2
    assert running.text().index("GET /slow 200") < running.text().rindex("closed")


def test_grace(start: Start, server: str) -> None:
    """During the grace readiness is 503, and other requests are accepted and answered."""
    running = start(SERVER=server, DRAIN_GRACE=12)
    assert running.ask("/readyz").status == 200
    running.signal()
    end = time.monotonic() + 6
    while running.ask("/readyz").status != 503:
        assert time.monotonic() < end
    here = running.ask("/")
    assert (here.status, here.body) == (200, b"here")
    assert "close" in here.headers["connection"]
    running.signal()
    assert running.ended() == 0


@pytest.mark.parametrize("name", ["granian", "gunicorn"])
def test_late_clients_are_refused(start: Start, name: str) -> None:
    """After the grace new clients are refused, while a slow answer is still on its way."""
    require_server(name)
    running = start(SERVER=name, WORKERS=2)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(running.ask, "/slow?seconds=4")
        running.until("has begun")
        running.signal()
        while not running.is_refusing():
            assert not slow.done()
        assert not slow.done()
        assert slow.result().status == 200


def test_idle_connections_do_not_hold_a_drain(start: Start, server: str) -> None:
    """Neither a connection that never asked anything nor one that was kept is waited for."""
    running = start(SERVER=server, DRAIN_TIMEOUT=20)
    with running.connect() as never, running.connect() as kept:
        kept.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert kept.recv(65536).startswith(b"HTTP/1.1 200")
        running.signal()
        assert running.ended(12) == 0
        assert never.fileno() > 0


def test_second_signal_ends_the_grace(start: Start) -> None:
    """A second signal ends the grace at once."""
    running = start(DRAIN_GRACE=10)
    running.signal()
    running.until("drains")
    before = time.monotonic()
    running.signal()
    assert running.ended() == 0
    assert time.monotonic() - before < 3


def test_requests_beyond_the_timeout_are_cut_off(start: Start, server: str) -> None:
    """A request that runs beyond DRAIN_TIMEOUT is cut off, said so, and the exit code is 1."""
    running = start(SERVER=server, DRAIN_TIMEOUT=0.5)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(running.ask, "/slow?seconds=6")
        running.until("has begun")
        before = time.monotonic()
        running.signal()
        assert running.ended() == 1
        assert isinstance(slow.exception(), http.client.HTTPException | OSError)
    assert time.monotonic() - before < 4
    assert "DRAIN_TIMEOUT" in running.text()


def test_stuck_worker_is_killed(start: Start) -> None:
    """A worker that does not even close in time is killed by the supervisor."""
    running = start(DRAIN_TIMEOUT=0.5)
    worker = int(running.ask("/pid").body)
    os.kill(worker, signal.SIGSTOP)
    running.signal()
    assert running.ended() == 1
    assert f"Worker {worker} does not end within DRAIN_TIMEOUT" in running.text()


def test_failed_close(start: Start) -> None:
    """A failure to close is logged and makes the exit code 1."""
    running = start(FAIL_CLOSE=1)
    running.signal()
    assert running.ended() == 1
    assert "the lift is stuck" in running.text()


def test_signal_during_start(launch: Start) -> None:
    """A signal while the workers start ends the service without a lost child."""
    running = launch(START_TAKES=2)
    running.until("started")
    running.signal()
    assert running.ended() == 0
    assert "closed" in running.text()


def test_kept_connections_lose_nothing(start: Start, server: str) -> None:
    """A hundred clients on kept connections get every answer through a drain."""
    running = start(SERVER=server, WORKERS=2, DRAIN_GRACE=1)
    with ThreadPoolExecutor(100) as pool:
        clients = [pool.submit(_ask_until_told_to_leave, running) for _ in range(100)]
        time.sleep(1)
        running.signal()
        counts = [client.result() for client in clients]
    assert running.ended() == 0
    assert min(counts) >= 1


def _ask_until_told_to_leave(running: Running) -> int:
    """Count the answers on one connection until it is closed with one."""
    client = http.client.HTTPConnection("shop.test")
    client.sock = running.connect(timeout=20)
    for count in range(1, 10_000):
        client.request("GET", "/slow?seconds=0.02" if count % 2 else "/")
        response = client.getresponse()
        assert (response.status, len(response.read())) in ((200, 14), (200, 4))
        if response.will_close:
            client.close()
            return count
        time.sleep(0.01)
    raise AssertionError("never told to leave")
