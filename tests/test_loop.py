"""A loop that survives its failures, and ends when it is told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from buttress.lifecycle import Deadline
from buttress.loop import Loop


class Step:
    """Count the steps; fail in those that are named."""

    def __init__(self, failing: range = range(0), pause: float = 0.0) -> None:
        self.count = 0
        self.enough = threading.Event()
        self._failing = failing
        self._pause = pause

    def __call__(self) -> float:
        self.count += 1
        if self.count >= 5:
            self.enough.set()
        if self.count in self._failing:
            raise ConnectionError("no snow")
        return self._pause


@pytest.fixture
def loops() -> Iterator[list[Loop]]:
    """Give a list of loops that are ended after the test."""
    made: list[Loop] = []
    yield made
    for loop in made:
        loop.stop()
        assert loop.join(Deadline(5))


def started(loops: list[Loop], step: Step) -> Loop:
    """Start a loop."""
    loop = Loop("snow", step)
    loops.append(loop)
    loop.start()
    return loop


def test_it_repeats_its_step(loops: list[Loop]) -> None:
    """The step is repeated until the loop is stopped."""
    step = Step()
    loop = started(loops, step)
    assert step.enough.wait(5)
    loop.stop()
    assert loop.join(Deadline(5))
    count = step.count
    time.sleep(0.05)
    assert (step.count, loop.running, loop.stopping) == (count, False, True)


def test_a_failure_is_survived_and_told_once(
    loops: list[Loop], caplog: pytest.LogCaptureFixture
) -> None:
    """Several failures in a row are one line in the log, and one more tells of their end."""
    caplog.set_level(logging.INFO)
    step = Step(failing=range(1, 4), pause=0.01)
    loop = started(loops, step)
    assert step.enough.wait(5)
    assert loop.failure is None
    assert [it.levelname for it in caplog.records] == ["ERROR", "INFO"]
    assert "snow fails and is tried again: no snow" in caplog.text


def test_a_failure_shows(loops: list[Loop]) -> None:
    """While the step fails the loop knows why."""
    loop = started(loops, Step(failing=range(1, 1000)))
    end = time.monotonic() + 5
    while loop.failure is None and time.monotonic() < end:
        time.sleep(0.01)
    assert isinstance(loop.failure, ConnectionError)


def test_a_wait_ends_with_a_wake(loops: list[Loop]) -> None:
    """A loop that waits goes on when it is woken."""
    step = Step(pause=60)
    loop = started(loops, step)
    for number in range(1, 4):
        end = time.monotonic() + 5
        while step.count < number and time.monotonic() < end:
            time.sleep(0.005)
        assert step.count == number
        loop.wake()


def test_a_wait_ends_with_a_stop(loops: list[Loop]) -> None:
    """A loop that waits ends at once when it is stopped."""
    loop = started(loops, Step(pause=60))
    time.sleep(0.02)
    began = time.monotonic()
    loop.stop()
    assert loop.join(Deadline(5))
    assert time.monotonic() - began < 1


def test_a_step_that_does_not_end(loops: list[Loop]) -> None:
    """Waiting for the end has an end."""
    held = threading.Event()
    loop = Loop("held", lambda: float(held.wait(5)))
    loops.append(loop)
    loop.start()
    loop.stop()
    assert loop.join(Deadline(0.05)) is False
    held.set()


def test_a_loop_that_was_never_started() -> None:
    """A loop that never began is over."""
    loop = Loop("snow", Step())
    loop.stop()
    assert loop.join(Deadline(1))
