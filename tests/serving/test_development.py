"""The development server loads again what changes, and stays on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.serving.running import PATIENCE, Running

Start = Callable[..., Running]
SECRET = "kG8wqP2vXz5nB7mL4tR9yH3jF6dS1aC0"
LOADING = """
import sys

from buttress.errors import SetupError
from buttress.serving import serve_development


def load():
    from shop import make
    return make()


if __name__ == "__main__":
    try:
        sys.exit(serve_development(load))
    except SetupError as error:
        print(f"mistake: {error}", file=sys.stderr)
        sys.exit(2)
"""


@pytest.fixture
def port() -> int:
    """Give a free port, since one that is taken anew on each load cannot be followed."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def develop(launch: Start, folder: Path, port: int) -> Start:
    """Give a function that starts the service in development."""
    (folder / "loading.py").write_text(LOADING)

    def begin(file: str = "run.py", **settings: object) -> Running:
        return launch(file, **{"MODE": "development", "PORT": port, **settings})

    return begin


def replace(folder: Path, file: str, old: str, new: str) -> None:
    """Change a file as an editor does."""
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def until_body(running: Running, expected: bytes, path: str = "/") -> None:
    """Wait until a request is answered with a body."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if running.ask(path).body == expected:
                return
        except OSError:
            pass
        assert time.monotonic() < end, running.text()
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal(develop: Start, number: signal.Signals) -> None:
    """A signal lets the request in flight finish, and the exit code is 0."""
    running = develop().until_ready()
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(running.ask, "/slow?seconds=1")
        time.sleep(0.3)
        running.signal(number)
        assert slow.result().body == b"slow but whole"
    assert running.ended() == 0
    assert "closed" in running.text()


def test_terminal(develop: Start) -> None:
    """Ctrl-C in a terminal, which reaches every process of the group, ends it with 0."""
    running = develop().until_ready()
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.ended() == 0
    assert "Traceback" not in running.text()


def test_change(develop: Start, folder: Path) -> None:
    """A changed module is loaded again."""
    running = develop().until_ready()
    assert running.ask("/").body == b"here"
    replace(folder, "shop/__init__.py", '"here"', '"there"')
    until_body(running, b"there")
    assert "shop/__init__.py changed: loading again" in running.text()


@pytest.mark.parametrize("file", ["run.py", "loading.py"])
def test_broken_module(develop: Start, folder: Path, file: str) -> None:
    """A module that does not load is logged with its traceback, and watched until mended."""
    running = develop(file).until_ready()
    replace(folder, "shop/__init__.py", 'return "here"', 'return "there')
    running.until("SyntaxError: unterminated string")
    assert running.process.poll() is None
    replace(folder, "shop/__init__.py", 'return "there', 'return "there"')
    until_body(running, b"there")


def test_broken_main(develop: Start, folder: Path) -> None:
    """A main file with a syntax error is watched until it is mended."""
    running = develop().until_ready()
    replace(folder, "run.py", "import sys", "import sys(")
    running.until("SyntaxError")
    running.until("is watched until a file is changed")
    replace(folder, "run.py", "import sys(", "import sys")
    until_body(running, b"here")
    running.signal()
    assert running.ended() == 0


def test_broken_at_first(develop: Start, folder: Path) -> None:
    """A service that never loaded is watched all the same, and ends with 0 on a signal."""
    replace(folder, "shop/__init__.py", "def make():", "def make(:")
    running = develop("loading.py")
    running.until("SyntaxError")
    running.signal()
    assert running.ended() == 0


def test_failed_start(develop: Start) -> None:
    """A start that fails is logged and watched, not ended."""
    running = develop(FAIL_START=1)
    running.until("the snow is missing")
    time.sleep(0.7)
    assert running.process.poll() is None


def test_secrets(develop: Start) -> None:
    """The reloader's child knows the secrets that left its parent's environment."""
    running = develop(SECRET_KEY=SECRET).until_ready()
    assert json.loads(running.ask("/secret").body) == {"known": True, "visible": False}


@pytest.mark.parametrize("host", ["0.0.0.0", "shop.test"])
def test_other_hosts(develop: Start, host: str) -> None:
    """A host that is not loopback is refused in one sentence."""
    running = develop(HOST=host)
    assert running.ended() == 2
    assert f"listens on loopback only and not on HOST '{host}'" in running.text()
    assert "Traceback" not in running.text()


def test_open_development(develop: Start) -> None:
    """With OPEN_DEVELOPMENT every host is taken."""
    running = develop(HOST="0.0.0.0", OPEN_DEVELOPMENT="true")
    running.until("Serving on http://0.0.0.0:")


def test_port_in_use(develop: Start, port: int) -> None:
    """A port in use ends it with exit code 2 and one sentence."""
    with socket.create_server(("127.0.0.1", port)):
        running = develop()
        assert running.ended() == 2
    assert f"mistake: http://127.0.0.1:{port} is in use" in running.text()


def test_killed_reloader(develop: Start, port: int) -> None:
    """Where the reloader is killed its child goes too, and the port is free."""
    running = develop().until_ready()
    running.process.kill()
    end = time.monotonic() + 4
    while time.monotonic() < end:
        with suppress(ConnectionResetError):  # the socket closes while this client connects
            try:
                running.connect().close()
            except ConnectionRefusedError:
                return
        time.sleep(0.05)
    pytest.fail("the port is still taken")
