"""One process of a host at a time."""

from __future__ import annotations

import os
import signal

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
