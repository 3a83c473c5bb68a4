"""A service under the production server, from start to exit."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

HOST = "127.0.0.1"
READY_WITHIN = 30.0
STOPPED_WITHIN = 60.0


class NotServing(Exception):
    """Raised when a service did not start, or did not stop as it should."""


class Running:
    """A service in a process of its own, on a port of the loopback interface."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.url = f"http://{HOST}:{port}"

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, token: str | None = None
    ) -> tuple[int, str]:
        """Send one request and give status and text; a status from 400 on is an answer too."""
        request = Request(self.url + path, method=method, data=body.encode() if body else None)
        if body:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait_until_ready(self) -> None:
        """Wait for ``/readyz``. Raises `NotServing` when the process ends or takes too long."""
        end = time.monotonic() + READY_WITHIN
        while not self._is_ready():
            if self.process.poll() is not None:
                raise NotServing(f"the server ended with exit code {self.process.returncode}")
            if time.monotonic() > end:
                raise NotServing(f"the server was not ready within {READY_WITHIN:.0f} seconds")
            time.sleep(0.05)

    def stop(self) -> int:
        """Send SIGTERM and give the exit code. Raises `NotServing` when it takes too long."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            raise NotServing(
                f"the server did not stop within {STOPPED_WITHIN:.0f} seconds"
            ) from None

    def _is_ready(self) -> bool:
        try:
            return self.ask("/readyz")[0] == 200
        except (URLError, ConnectionError, TimeoutError):
            return False


@contextmanager
def running(
    folder: Path, port: int, *, app: str | None = None, bin_folder: Path | None = None
) -> Iterator[Running]:
    """Start the service of ``folder`` wait until it is ready, and end it in any case."""
    command = [str((bin_folder or Path(sys.executable).parent) / "buttress"), "run"]
    command += ["--app", app] if app else []
    command += ["--host", HOST, "--port", str(port)]
    # A session of its own, so that Ctrl-C reaches this program alone, which then stops it.
    process = subprocess.Popen(command, cwd=folder, env=environment(), start_new_session=True)
    try:
        service = Running(process, port)
        service.wait_until_ready()
        yield service
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs: by SIGTERM, and by SIGKILL when it does not listen."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Copy the environment without ``PORT`` and ``MODE``, which would change what is shown."""
    return {name: value for name, value in given.items() if name not in {"PORT", "MODE"}}


def is_free(port: int) -> bool:
    """Tell whether a server could listen on ``port`` of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Find a port of the loopback interface that nobody uses."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
