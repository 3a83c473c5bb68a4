"""Processes that share a schedule, to be killed; each notes in a table which ticks it ran."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.packages import write_package

#: Seconds by which ticks may be late with `misfire="skip"`.
GRACE = 0.2
#: Boots the service, and forks a process that starts it for each line on standard input.
SERVE = """
import os, signal, sys, time
from buttress import create_app
from buttress.lifecycle import Deadline

url, period, lease = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
app = create_app(
    "shop",
    extensions=["log", "db", "schedule"],
    config={"DB_URL": url, "DB_MIGRATE": "upgrade", "SCHEDULE_LEASE": lease,
            "SCHEDULE_CATCH_UP": 10000, "SCHEDULE_GRACE": float(sys.argv[4]), "LOG_LEVEL": "ERROR"},
)

def declare(misfire, overlap):
    @app.schedule.every(seconds=period, name=misfire, misfire=misfire, overlap=overlap)
    def run(tick):
        app.db.run(
            "INSERT INTO ran (job, tick, late, pid) VALUES (:job, :tick, :late, :pid)",
            {"job": tick.job, "tick": round(tick.time.timestamp() / period), "late": tick.late,
             "pid": os.getpid()},
        )

declare("all", "wait")
declare("once", "skip")
declare("skip", "allow")

def serve():
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    app.start()
    while not ended:
        time.sleep(0.02)
    app.lifecycle.drain(Deadline(5))
    app.close()

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        try:
            serve()
        finally:
            os._exit(0)
    print(pid, flush=True)
"""


class Processes:
    """Processes of one service on one database."""

    def __init__(self, folder: Path, url: str, period: float, lease: float) -> None:
        write_package(folder, {"shop/__init__.py": ""})
        (folder / "serve.py").write_text(SERVE)
        self.engine = sa.create_engine(url)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TABLE ran (job VARCHAR(9), tick BIGINT, late DOUBLE PRECISION, pid INTEGER)"
            )
        command = [sys.executable, str(folder / "serve.py"), url]
        command += [str(period), str(lease), str(GRACE)]
        self._parent: Any = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pids: list[int] = []

    def start(self) -> int:
        """Start one more."""
        self._parent.stdin.write("start\n")
        self._parent.stdin.flush()
        self.pids.append(int(self._parent.stdout.readline()))
        return self.pids[-1]

    def end(self, pid: int, how: signal.Signals) -> None:
        """End one, at once or in order."""
        self.pids.remove(pid)
        os.kill(pid, how)

    def leader(self, *, other_than: int = 0) -> int:
        """Wait until one that lives has run a tick, and give the one that ran the latest."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            found = self.query("SELECT pid FROM ran ORDER BY tick DESC, late DESC LIMIT 1")
            if found and found[0][0] in self.pids and found[0][0] != other_than:
                return int(found[0][0])
            time.sleep(0.02)
        raise TimeoutError("no process leads")

    def query(self, sql: str) -> list[Any]:
        """Read from the database."""
        with self.engine.connect() as connection:
            return list(connection.exec_driver_sql(sql))

    def ran(self, job: str) -> tuple[list[int], list[float]]:
        """Give the numbers of the ticks that a job ran, in order, and how late each was."""
        rows = self.query(f"SELECT tick, late FROM ran WHERE job = '{job}' ORDER BY tick")  # noqa: S608  # a name of ours
        return [row[0] for row in rows], [row[1] for row in rows]

    def close(self) -> None:
        """End all."""
        for pid in list(self.pids):
            self.end(pid, signal.SIGKILL)
        self._parent.stdin.close()
        self._parent.stdout.close()
        self._parent.wait()
        self.engine.dispose()


@contextmanager
def processes(folder: Path, url: str, period: float, lease: float) -> Iterator[Processes]:
    """Give processes that are ended after the block."""
    made = Processes(folder, url, period, lease)
    try:
        yield made
    finally:
        made.close()
