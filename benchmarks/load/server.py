"""A server that is measured: how it is started, asked and ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.load.process import end, on_cores

HOST = "127.0.0.1"
#: The folder of the programs that were installed beside this interpreter.
PROGRAMS = Path(sys.executable).parent
#: Seconds that a server has to answer its first request.
READY_WITHIN = 20.0


class NotServing(Exception):
    """Raised when a server does not start, or answers something else than it should."""


@dataclass(frozen=True)
class Subject:
    """A program with its arguments, in which ``{port}`` stands for the port."""

    name: str
    command: Sequence[str]

    def on(self, port: int) -> list[str]:
        """Give the command for a port."""
        program, *arguments = (word.format(port=port) for word in self.command)
        return [str(PROGRAMS / program), *arguments]


@dataclass(frozen=True)
class Server:
    """A subject that runs."""

    process: subprocess.Popen[bytes]
    port: int

    def url(self, path: str) -> str:
        """Give the address of a path."""
        return f"http://{HOST}:{self.port}{path}"


@contextmanager
def serving(subject: Subject, cores: set[int]) -> Iterator[Server]:
    """Start a subject on some cores, see that it answers rightly, and end it in any case.

    Raises `NotServing`, with what the server wrote to standard error.
    """
    port = free_port()
    with tempfile.TemporaryFile() as errors:
        process = _start(subject.on(port), cores, errors)
        try:
            server = Server(process, port)
            try:
                wait_until_ready(server)
                check(server)
            except NotServing as error:
                raise NotServing(f"{subject.name}: {error}\n{_written(errors)}") from None
            yield server
        finally:
            end(process)


def wait_until_ready(server: Server) -> None:
    """Wait until the port is listened on. Raises `NotServing` where it never is."""
    limit = time.monotonic() + READY_WITHIN
    while not _accepts(server.port):
        if server.process.poll() is not None:
            raise NotServing(f"it ended with {server.process.returncode}")
        if time.monotonic() > limit:
            raise NotServing(f"it does not listen after {READY_WITHIN:.0f} s")
        time.sleep(0.02)


def check(server: Server) -> None:
    """Ask for three items. Raises `NotServing` for a wrong answer."""
    for number in (1, 42, 4096):
        try:
            with urlopen(server.url(f"/items/{number}"), timeout=10) as answer:
                kind, body = answer.headers.get_content_type(), answer.read()
        except (URLError, OSError) as error:
            raise NotServing(f"it answers with {error}") from None
        if kind != "application/json" or json.loads(body) != {"id": number, "name": "item"}:
            raise NotServing(f"it answers {kind} {body!r}")


def free_port() -> int:
    """Find a port that nobody uses now."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def _start(command: list[str], cores: set[int], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    environ = {name: value for name, value in os.environ.items() if name not in {"PORT", "MODE"}}
    # A session of its own, so that Ctrl-C reaches this program alone, which then ends it.
    with on_cores(cores):
        return subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _written(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode(errors="replace")[-2000:]
