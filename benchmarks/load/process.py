"""The processes of a server: which there are, what they cost, how they end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
#: Seconds that a server has to end by itself.
PATIENCE = 15.0


def family(pid: int) -> list[int]:
    """Give the ids of a process and of all its descendants."""
    parents = dict(_parents())
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def processor_time(pids: list[int]) -> float:
    """Give the seconds, user's and system's, that processes have used; one that ended counts 0."""
    return sum(int(it[11]) + int(it[12]) for pid in pids if (it := _stat(pid))) / TICKS


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Let the processes that are started meanwhile run on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server by SIGTERM, and by SIGKILL whatever of it is still there."""
    pids = family(process.pid)
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        for pid in pids[1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (fields := _stat(int(folder.name))):
            yield int(folder.name), int(fields[1])


def _stat(pid: int) -> list[str]:
    """Give the fields of ``/proc/<pid>/stat`` from the state on; empty when it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
