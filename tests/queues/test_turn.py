"""One process of a host at a time."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest

from buttress.queues.turn import Turn


def test_one_at_a_time(tmp_path: object) -> None:
    """Of several only the first has the turn, until it leaves."""
    first, second = (Turn(str(tmp_path), "snow") for _ in range(2))
    assert [first.take(), first.take(), second.take()] == [True, True, False]
    first.leave()
    assert second.take()
    second.leave()


def test_other_queues_and_services(tmp_path: object) -> None:
    """Other queues, and the queues of other services, have turns of their own."""
    turns = [Turn(str(tmp_path), "a"), Turn(str(tmp_path), "b"), Turn(f"{tmp_path}/x", "a")]
    assert [turn.take() for turn in turns] == [True] * 3
    for turn in turns:
        turn.leave()


def test_a_file_that_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file was removed, the next to ask has the turn, and the one before has not."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = (Turn("shop", "snow") for _ in range(2))
    assert first.take()
    [file] = tmp_path.iterdir()
    file.unlink()
    assert (second.take(), first.take()) == (True, False)
    second.leave()
    assert first.take()
    first.leave()


def test_a_file_in_use_stays_young(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file tells that it is in use to those who remove old files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    turn = Turn("shop", "snow")
    assert turn.take()
    [file] = tmp_path.iterdir()
    os.utime(file, (0, 0))
    assert turn.take()
    assert file.stat().st_mtime > 0
    turn.leave()


def test_a_process_that_is_killed(tmp_path: object) -> None:
    """The turn of a process that dies is free."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, b"y" if Turn(str(tmp_path), "snow").take() else b"n")
        signal.pause()
    turn = Turn(str(tmp_path), "snow")
    assert os.read(reader, 1) == b"y"
    assert turn.take() is False
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert turn.take()
    turn.leave()
    os.close(reader)
    os.close(writer)
