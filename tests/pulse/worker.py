"""A process that consumes, to be killed: it notes every payload that it has handled."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from buttress import create_app
from buttress.pulse import Message

EXTENSIONS = ["log", "web", "pulse"]


class Workers:
    """Processes that consume one queue, one after the other."""

    def __init__(self, url: str, exchange: str, queue: str, notes: Path) -> None:
        self._arguments = [url, exchange, queue, str(notes)]
        self._notes = notes
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start a process."""
        command = [sys.executable, "-m", "tests.pulse.worker", *self._arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """Kill the process, wherever it is in its work."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def handled(self) -> list[int]:
        """Read what has been handled so far."""
        if not self._notes.exists():
            return []
        return [int(line) for line in self._notes.read_text().split()]


@contextmanager
def workers(url: str, exchange: str, queue: str, notes: Path) -> Iterator[Workers]:
    """Give processes that are gone afterwards."""
    made = Workers(url, exchange, queue, notes)
    made.start()
    try:
        yield made
    finally:
        made.kill()


def main(url: str, exchange: str, queue: str, notes: str) -> None:
    """Consume until killed."""
    app = create_app(
        "tests.pulse",
        blueprint_modules=[],
        extensions=EXTENSIONS,
        config={"MODE": "testing", "PULSE_URL": url, "PULSE_PREFETCH": 10},
    )

    @app.pulse.consumer(exchange, queue=queue, declare_exchange=True)
    def note(_body: Any, message: Message) -> None:
        with Path(notes).open("a") as file:
            file.write(f"{message.payload}\n")

    app.start()
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
