"""The states of a process."""

from __future__ import annotations

import os
import threading
import time

import pytest

from buttress.errors import LifecycleError
from buttress.lifecycle import Deadline, Lifecycle, State, closing_order


class Recorder:
    """A part that notes what is done to it, and fails where it is told to."""

    def __init__(self, name: str, log: list[str], fails: str = "", pause: float = 0.0) -> None:
        self.name, self.log, self.fails, self.pause = name, log, fails, pause

    def start(self) -> None:
        self._do("start")

    def drain(self, deadline: Deadline) -> None:
        time.sleep(min(self.pause, deadline.left() + 0.2))
        self._do("drain")

    def close(self) -> None:
        self._do("close")

    def _do(self, what: str) -> None:
        self.log.append(f"{what} {self.name}")
        if self.fails == what:
            raise OSError(f"{self.name} cannot {what}")


def booted(*parts: Recorder) -> Lifecycle:
    lifecycle = Lifecycle("piste")
    lifecycle.boot(lambda: lifecycle.parts.extend(parts))
    return lifecycle


def test_a_life_goes_from_open_to_closed() -> None:
    """Each step leads to the next state."""
    lifecycle = Lifecycle("piste")
    seen = [lifecycle.state]
    lifecycle.boot(lambda: None)
    seen.append(lifecycle.state)
    lifecycle.start()
    seen.append(lifecycle.state)
    lifecycle.drain(Deadline(1))
    seen.append(lifecycle.state)
    lifecycle.close()
    assert [*seen, lifecycle.state] == ["open", "booted", "serving", "draining", "closed"]


def test_parts_see_the_starting_state() -> None:
    """Between booted and serving, the state is starting."""
    lifecycle, seen = Lifecycle("piste"), []

    class Curious(Recorder):
        def start(self) -> None:
            seen.append(lifecycle.state)

    lifecycle.boot(lambda: lifecycle.parts.append(Curious("db", [])))
    lifecycle.start()
    assert seen == [State.STARTING]


def test_boot_runs_once() -> None:
    """A second boot does nothing."""
    lifecycle, runs = Lifecycle("piste"), []
    lifecycle.boot(lambda: runs.append(1))
    lifecycle.boot(lambda: runs.append(2))
    assert runs == [1]


def test_threads_that_boot_together_boot_once() -> None:
    """The first wins and the others wait for it."""
    lifecycle, runs = Lifecycle("piste"), []

    def slow() -> None:
        time.sleep(0.05)
        runs.append(1)

    threads = [threading.Thread(target=lifecycle.boot, args=(slow,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs == [1]


def test_a_failed_boot_closes_what_it_built() -> None:
    """Nothing is left half-built, and the failure is the caller's."""
    lifecycle, log = Lifecycle("piste"), []

    def steps() -> None:
        lifecycle.parts.append(Recorder("cache", log))
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError, match="no database"):
        lifecycle.boot(steps)
    assert lifecycle.state is State.FAILED
    assert log == ["close cache"]


def test_a_failed_life_cannot_boot_again() -> None:
    """It says what to do instead."""
    lifecycle = Lifecycle("piste")
    with pytest.raises(ZeroDivisionError):
        lifecycle.boot(lambda: divmod(1, 0))
    with pytest.raises(LifecycleError, match="make a new application"):
        lifecycle.boot(lambda: None)


def test_a_boot_inside_a_boot_is_refused() -> None:
    """A module that makes an application while another boots is told so."""
    outer, inner = Lifecycle("piste"), Lifecycle("shop")
    with pytest.raises(LifecycleError, match="shop would boot inside the boot of piste"):
        outer.boot(lambda: inner.boot(lambda: None))


def test_start_needs_a_boot() -> None:
    """An open service does not start."""
    with pytest.raises(LifecycleError, match="only once booted"):
        Lifecycle("piste").start()


def test_a_failed_start_closes_everything() -> None:
    """What was built is released, and what went wrong meanwhile is noted."""
    log: list[str] = []
    lifecycle = booted(Recorder("cache", log, fails="close"), Recorder("db", log, fails="start"))
    with pytest.raises(OSError, match="db cannot start") as caught:
        lifecycle.start()
    assert log == ["start cache", "start db", "close db", "close cache"]
    assert "cache cannot close" in caught.value.__notes__[0]
    assert lifecycle.state is State.FAILED


def test_start_happens_once() -> None:
    """Starting a serving process changes nothing."""
    log: list[str] = []
    lifecycle = booted(Recorder("db", log))
    lifecycle.start()
    lifecycle.start()
    assert log == ["start db"]


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        ({}, None, True),
        ({}, False, False),
        ({"embedded": True}, None, False),
        ({"embedded": True}, True, True),
        ({"command": True}, None, False),
        ({"command": True}, True, False),
    ],
)
def test_where_consumers_and_schedules_run(
    kind: dict[str, bool], asked: bool | None, expected: bool
) -> None:
    """They run where Buttress serves, elsewhere if the settings say so, and never in a command."""
    lifecycle = Lifecycle("shop")
    lifecycle.boot(lambda: None)
    lifecycle.start(**kind)
    assert lifecycle.has_background(asked) is expected
    lifecycle.close()


def test_all_parts_drain_at_once() -> None:
    """Two slow parts take as long as one."""
    log: list[str] = []
    lifecycle = booted(Recorder("queues", log, pause=0.3), Recorder("schedule", log, pause=0.3))
    lifecycle.start()
    began = time.monotonic()
    assert lifecycle.drain(Deadline(5)) == []
    assert time.monotonic() - began < 0.55
    assert sorted(log[2:]) == ["drain queues", "drain schedule"]


def test_drain_reports_failures_and_latecomers() -> None:
    """One that fails and one that is late do not stop the others."""
    log: list[str] = []
    lifecycle = booted(
        Recorder("queues", log, fails="drain"), Recorder("pulse", log, pause=9), Recorder("db", log)
    )
    lifecycle.start()
    failures = lifecycle.drain(Deadline(0.1))
    assert [type(failure) for failure in failures] == [OSError, TimeoutError]
    assert "drain db" in log
    time.sleep(0.3)


def test_close_goes_backwards_and_tries_everyone() -> None:
    """All failures come in one group."""
    log: list[str] = []
    lifecycle = booted(
        Recorder("cache", log, fails="close"), Recorder("db", log), Recorder("mail", log, "close")
    )
    with pytest.raises(ExceptionGroup) as caught:
        lifecycle.close()
    assert log == ["close mail", "close db", "close cache"]
    assert [str(each) for each in caught.value.exceptions] == [
        "mail cannot close",
        "cache cannot close",
    ]


def test_close_happens_once() -> None:
    """A second close does nothing."""
    log: list[str] = []
    lifecycle = booted(Recorder("db", log))
    lifecycle.close()
    lifecycle.close()
    assert log == ["close db"]


def test_what_watches_closes_last() -> None:
    """Health and metrics close after the pools, and the log after all."""
    names = ("log", "web", "health", "db", "queues", "metrics", "console")
    order = [part.name for part in closing_order([Recorder(name, []) for name in names])]
    assert order == ["console", "queues", "db", "web", "metrics", "health", "log"]


def test_a_fork_of_a_started_process_may_not_serve() -> None:
    """Use from another pid is an error that says what to do."""
    lifecycle = booted()
    lifecycle.start()
    lifecycle.ready = True
    child = os.fork()
    if child == 0:
        os._exit(_complains(lifecycle))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert lifecycle.ready


def _complains(lifecycle: Lifecycle) -> int:
    if lifecycle.ready:
        return 1
    try:
        lifecycle.start()
    except LifecycleError as error:
        return 7 if "after the fork" in str(error) else 2
    return 3


def test_a_worker_starts_after_the_fork() -> None:
    """Booting before the fork and starting after it is the way of a supervisor."""
    lifecycle = booted()
    child = os.fork()
    if child == 0:
        lifecycle.start()
        os._exit(7 if lifecycle.pid == os.getpid() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert lifecycle.state is State.BOOTED


def test_a_deadline_runs_out() -> None:
    """What is left never falls below nothing."""
    deadline = Deadline(0.05)
    assert 0 < deadline.left() <= 0.05
    time.sleep(0.06)
    assert deadline.left() == 0.0
    assert deadline.passed
