"""The supervisor keeps the service up, and never leaves half of one behind."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers import require_server
from tests.serving.running import PATIENCE, Running

Start = Callable[..., Running]
SERVERS = ("granian", "gunicorn", "bjoern")
BROKEN = """
import sys

from buttress.serving.supervisor import Supervisor
from shop import make


class Engine:
    def serve(self, app, listener, ready):
        {end}

    def leave(self):
        pass

    def stop(self, deadline):
        pass

    def idle(self):
        return False


sys.exit(Supervisor(make(), Engine).run())
"""

EARLY = """
import threading

threading.Thread(target=threading.Event().wait, name="pump", daemon=True).start()
"""


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """Name each production server in turn."""
    require_server(request.param)
    return str(request.param)


def test_killed_worker_is_replaced(start: Start, server: str) -> None:
    """A worker that is killed is replaced, and the service answers again."""
    running = start(SERVER=server)
    for _ in range(3):
        worker = int(running.ask("/pid").body)
        os.kill(worker, signal.SIGKILL)
        running.until(f"Worker {worker} was ended by SIGKILL")
        assert int(running.ask("/pid").body) != worker
    running.signal()
    assert running.ended() == 0


def test_other_workers_serve_meanwhile(start: Start) -> None:
    """While one of two workers is replaced the other answers everything."""
    running = start(WORKERS=2, START_TAKES=0.5)
    running.until(r"(?s)started.*started")
    time.sleep(0.7)
    os.kill(int(running.ask("/pid").body), signal.SIGKILL)
    assert [running.ask("/").status for _ in range(20)] == [200] * 20


def test_worker_ends_alone(start: Start) -> None:
    """SIGTERM to one worker drains it alone; the others accept all the while."""
    running = start(WORKERS=2)
    with ThreadPoolExecutor() as pool:
        worker = int(running.ask("/pid").body)
        slow = [pool.submit(running.ask, "/slow?seconds=0.8") for _ in range(8)]
        time.sleep(0.2)
        os.kill(worker, signal.SIGTERM)
        assert [running.ask("/").status for _ in range(50)] == [200] * 50
        assert {answer.result().status for answer in slow} == {200}
    running.until(f"closed {worker}")
    running.until(f"Worker {worker} ended with exit code 0")


def test_killed_supervisor(start: Start, server: str) -> None:
    """Workers whose supervisor was killed go too and free the port, without the grace."""
    running = start(SERVER=server, WORKERS=2, DRAIN_GRACE=60, DRAIN_TIMEOUT=90)
    worker = int(running.ask("/pid").body)
    running.process.kill()
    end = time.monotonic() + PATIENCE
    while _is_alive(worker) or not running.is_refusing():
        assert time.monotonic() < end
        time.sleep(0.02)
    running.until(f"closed {worker}")


def test_failed_start(launch: Start, server: str) -> None:
    """Where no worker can start, the service ends with exit code 1 and the reason."""
    running = launch(SERVER=server, WORKERS=2, FAIL_START=1)
    assert running.ended() == 1
    assert "the snow is missing" in running.text()
    assert "does not serve: a worker could not start" in running.text()


@pytest.mark.parametrize(
    ("end", "reason"),
    [("raise RuntimeError('no water')", "no water"), ("pass", "ended without being told to")],
)
def test_broken_server(launch: Start, folder: Path, end: str, reason: str) -> None:
    """A server that fails, or just returns, ends its worker, which closes the application."""
    (folder / "broken.py").write_text(BROKEN.format(end=end))
    running = launch("broken.py")
    assert running.ended() == 1
    assert reason in running.text()
    assert "closed" in running.text()


def test_a_drain_that_fails_ends_the_worker(launch: Start, folder: Path) -> None:
    """The application is closed and the process ends, long before DRAIN_TIMEOUT."""
    leaving = "def leave(self):\n        raise RuntimeError('no way down')"
    script = BROKEN.replace("def leave(self):\n        pass", leaving)
    (folder / "broken.py").write_text(script.format(end="ready(); __import__('time').sleep(60)"))
    running = launch("broken.py", DRAIN_TIMEOUT=40)
    running.until_ready().signal()
    assert running.ended(10) == 1
    assert "no way down" in running.text()
    assert "closed" in running.text()


def test_workers_never_wait_in_accept(launch: Start, folder: Path) -> None:
    """The shared socket is not blocking, for a connection may be another worker's by then."""
    end = "print('blocks:', listener.getblocking(), flush=True)"
    (folder / "broken.py").write_text(BROKEN.format(end=end))
    launch("broken.py").until("blocks: False")


def test_start_timeout(launch: Start) -> None:
    """A worker that does not start within START_TIMEOUT is killed."""
    running = launch(START_TAKES=30, START_TIMEOUT=1)
    assert running.ended() == 1
    assert "does not start within START_TIMEOUT" in running.text()


def test_port_in_use(launch: Start, server: str) -> None:
    """A port in use is one sentence with the address, before any worker starts."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = launch(SERVER=server, PORT=port)
        assert running.ended() == 2
    assert f"mistake: http://127.0.0.1:{port} is in use" in running.text()
    assert "started" not in running.text()


def test_unknown_server(launch: Start) -> None:
    """An unknown server is a mistake, and the nearest name is suggested."""
    running = launch(SERVER="gunicron")
    assert running.ended() == 2
    assert "There is no server 'gunicron'. Did you mean 'gunicorn'?" in running.text()


def test_setting_without_use(start: Start) -> None:
    """A setting that the server cannot honour is said so at start."""
    require_server("bjoern")
    running = start(SERVER="bjoern", THREADS=4)
    assert "THREADS is set, and bjoern has no use for it" in running.text()


def test_setting_without_use_in_development(launch: Start, folder: Path) -> None:
    """In development the server that is named is the one that serves, whatever SERVER says."""
    running = launch(MODE="development", SERVER="granian", THREADS=4).until_ready()
    assert "THREADS is set, and development has no use for it" in running.text()


def test_thread_before_the_fork(launch: Start, folder: Path) -> None:
    """A thread that runs before the workers are forked is named in a warning."""
    (folder / "early.py").write_text(EARLY + (folder / "run.py").read_text())
    running = launch("early.py")
    running.until_ready()
    assert "missing in them: pump. " in running.text()


def test_no_thread_before_the_fork(start: Start) -> None:
    """Without one there is no warning."""
    assert "missing in them" not in start().text()


def test_development_server_in_production(launch: Start) -> None:
    """The development server is refused in production."""
    running = launch(SERVER="development")
    assert running.ended() == 2
    assert "MODE 'production': choose another server" in running.text()


def test_unix_socket(start: Start, server: str, tmp_path: Path) -> None:
    """Every server listens on a UNIX socket, whose file is gone afterwards."""
    running = start(SERVER=server, HOST=f"unix:{tmp_path}/shop.sock")
    assert running.ask("/").body == b"here"
    running.signal()
    assert running.ended() == 0
    assert not (tmp_path / "shop.sock").exists()


def test_ipv6(start: Start, server: str) -> None:
    """Every server listens on an IPv6 address, written in brackets."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    running = start(SERVER=server, HOST="[::1]")
    assert running.ask("/").body == b"here"
    assert "http://[::1]:" in running.text()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2:3]


def test_server_that_ends_by_itself(start: Start) -> None:
    """A worker whose server ends without being told is replaced, not left without one."""
    require_server("bjoern")
    running = start(SERVER="bjoern")
    worker = int(running.ask("/pid").body)
    os.kill(worker, signal.SIGINT)
    running.until(f"closed {worker}")
    running.until(f"Worker {worker} ended with exit code")
    assert int(running.ask("/pid").body) != worker
