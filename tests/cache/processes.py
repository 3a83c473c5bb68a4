"""Processes of their own for the tests: servers, and services that compute at the same time."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from tests.servers import miss

COMPUTING = """
    import sys, threading, time
    from pathlib import Path
    from buttress import create_app

    folder, url, prefix, threads = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    cache = create_app(
        "shop", extensions=["cache"], config={"CACHE_URL": url, "CACHE_PREFIX": prefix}
    ).cache
    found = []

    def make():
        with (folder / "computed").open("a") as file:
            file.write(".")
        time.sleep(0.5)
        return 42

    def one():
        gate.wait()
        found.append(cache.once("snow", 60, make))

    gate = threading.Barrier(threads + 1)
    for _ in range(threads):
        threading.Thread(target=one).start()
    print("ready", flush=True)
    sys.stdin.readline()
    gate.wait()
    while len(found) < threads:
        time.sleep(0.01)
    print(set(found))
"""


def compute_in_processes(
    folder: Path, url: str, prefix: str, *, count: int, threads: int
) -> tuple[list[str], int]:
    """Let the threads of several processes miss at once; give what each had, and the computations.

    The package ``shop`` must be in the folder.
    """
    script = textwrap.dedent(COMPUTING)
    command = [sys.executable, "-c", script, str(folder), url, prefix, str(threads)]
    running = [_piped(command, folder) for _ in range(count)]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    found = [process.communicate(timeout=60)[0].strip() for process in running]
    return found, len((folder / "computed").read_text())


def _piped(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def free_port() -> int:
    """Find a port on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


@contextmanager
def silent_server() -> Iterator[int]:
    """Listen on a port, take every connection, and never answer."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as server:
        yield int(server.getsockname()[1])


class Redis:
    """A Redis of the test's own, which it may kill."""

    def __init__(self, folder: Path, *options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            miss("redis-server is not installed; `make services-up` installs it where it can")
        self.port = free_port()
        self._command = [
            program,
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--save",
            "",
            *options,
        ]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Give its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=subprocess.DEVNULL)
        wait_for_port(self.port)

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def own_memcached() -> Iterator[str]:
    """Start a Memcached, and give its URL."""
    program = shutil.which("memcached")
    if program is None:
        miss("memcached is not installed; `make services-up` installs it where it can")
    port = free_port()
    process = subprocess.Popen(
        [program, "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-u", "nobody"]
    )
    try:
        wait_for_port(port)
        yield f"memcached://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_for_port(port: int) -> None:
    """Wait until somebody listens."""
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.01)
