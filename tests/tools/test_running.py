"""A service in a process of its own is watched, asked and ended."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tools import running
from tools.running import NotServing, Running, end, environment, free_port, is_free

SERVER = """
from http.server import BaseHTTPRequestHandler, HTTPServer
import sys

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
        self.wfile.write(self.path.encode())

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def service() -> Iterator[Running]:
    """Run a small server that is ready at once."""
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    yield Running(process, port)
    end(process)


def test_answers(service: Running) -> None:
    """A ready service is asked, and an error status is an answer."""
    service.wait_until_ready()
    assert service.ask("/x") == (404, "/x")


def test_stop_gives_the_exit_code(service: Running) -> None:
    """Stopping gives the exit code, here that of a process that SIGTERM ended."""
    service.wait_until_ready()
    assert service.stop() == -15


def test_process_that_ends() -> None:
    """A process that ends before it is ready is named by its exit code."""
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(NotServing, match="ended with exit code 3"):
        Running(process, free_port()).wait_until_ready()


def test_process_that_never_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that takes too long is given up."""
    monkeypatch.setattr(running, "READY_WITHIN", 0.2)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with process, pytest.raises(NotServing, match="not ready within"):
        Running(process, free_port()).wait_until_ready()


def test_process_that_ignores_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that does not stop is reported, and ended in any case."""
    monkeypatch.setattr(running, "STOPPED_WITHIN", 0.2)
    code = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(NotServing, match="did not stop within"):
            Running(process, free_port()).stop()
        end(process)
    assert process.returncode == -9


def test_busy_port() -> None:
    """A port on which someone listens is not free; one that was just given is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])
    assert is_free(free_port())


def test_environment() -> None:
    """Variables that would change what is shown are left out."""
    assert environment({"PORT": "1", "MODE": "testing", "HOME": "x"}) == {"HOME": "x"}
