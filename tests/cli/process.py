"""The command in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from urllib.error import URLError
from urllib.request import urlopen

COMMAND = Path(sys.executable).with_name("buttress")
PATIENCE = 20.0
"""Seconds that a process gets for what it has to do."""


def call(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``buttress`` to its end."""
    return call_program(COMMAND, folder, *arguments, **variables)


def call_program(
    program: Path, folder: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment to its end."""
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``buttress run`` on a free port until it answers; give the process and its address."""
    port = free_port()
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [COMMAND, "run", "--host", "127.0.0.1", "--port", str(port), *arguments],
            cwd=folder,
            stdout=output,
            stderr=output,
            text=True,
        )
        try:
            wait_until_ready(process, f"http://127.0.0.1:{port}/readyz", log)
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill() if process.poll() is None else None
            process.wait(PATIENCE)


def wait_until_ready(process: subprocess.Popen[str], url: str, log: Path) -> None:
    """Ask until the answer is 200; fail where the process ends first or takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise AssertionError(f"not ready, exit code {process.poll()}:\n{log.read_text()}")


def stop(process: subprocess.Popen[str]) -> int:
    """Send SIGTERM and give the exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE)


def free_port() -> int:
    """Find a port of the loopback interface that nobody uses."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
