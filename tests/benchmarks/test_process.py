"""The processes of a server are found, accounted for and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.load import process as processes
from benchmarks.load.process import end, family, on_cores, processor_time

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")

PARENT = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.{signal})
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(child.pid, flush=True)
signal.pause()
"""


@pytest.fixture
def parent(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a process with a child; the parameter is what it does on SIGTERM."""
    command = [sys.executable, "-c", PARENT.format(signal=request.param)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        yield process, child
        process.kill()
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended; nobody may have asked for its exit code yet."""
    limit = time.monotonic() + 10
    status = Path(f"/proc/{pid}/stat")
    while status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < limit, f"{pid} goes on"
        time.sleep(0.01)


@pytest.mark.parametrize("parent", ["SIG_DFL"], indirect=True)
def test_family(parent: tuple[subprocess.Popen[bytes], int]) -> None:
    """A family is the process and its child."""
    process, child = parent
    assert family(process.pid) == [process.pid, child]


@pytest.mark.parametrize("parent", ["SIG_IGN"], indirect=True)
def test_end(parent: tuple[subprocess.Popen[bytes], int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not listen to SIGTERM is killed, with its child."""
    monkeypatch.setattr(processes, "PATIENCE", 0.1)
    process, child = parent
    end(process)
    assert process.returncode == -9
    wait_until_gone(child)


def test_processor_time() -> None:
    """Processor time grows with what a process does; one that has ended has used none."""
    before = processor_time([os.getpid()])
    while processor_time([os.getpid()]) < before + 0.03:
        sum(range(10_000))
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    assert processor_time([ended.pid]) == 0


def test_cores() -> None:
    """A process that is started meanwhile has these cores, and this one its own afterwards."""
    mine = os.sched_getaffinity(0)
    code = "import os; print(os.sched_getaffinity(0))"
    with on_cores({min(mine)}):
        printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert printed.stdout.decode().strip() == str({min(mine)})
    assert os.sched_getaffinity(0) == mine
