"""The states of a process, and who may do what when.

A service goes ``open → booted → starting → serving → draining → closed``, or to ``failed``.
A supervisor only boots; each worker starts, drains and closes once, after the fork.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Protocol

from buttress.errors import LifecycleError

logger = logging.getLogger("buttress.lifecycle")

#: What closes after everything else, in this order: health and metrics watch the pools go.
CLOSE_LAST = ("metrics", "health", "log")


class State(StrEnum):
    """Name the states of a process."""

    OPEN = "open"
    BOOTED = "booted"
    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    CLOSED = "closed"
    FAILED = "failed"


_STARTED = frozenset({State.STARTING, State.SERVING, State.DRAINING})


class Deadline:
    """A moment by which work must be done, kept on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Give the seconds that are left, never less than 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Tell whether no time is left."""
        return self.left() == 0.0


class Part(Protocol):
    """What a lifecycle leads: something with a name that starts, drains and closes."""

    @property
    def name(self) -> str: ...
    def start(self) -> None: ...
    def drain(self, deadline: Deadline) -> None: ...
    def close(self) -> None: ...


class Lifecycle:
    """The state of one service in one process, and the only place that changes it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = State.OPEN
        self.parts: list[Part] = []
        self.pid: int | None = None
        #: True where a container that is not ours serves: no consumers, no schedules.
        self.embedded = False
        #: True where a command runs, such as a shell: neither, whatever the settings say.
        self.command = False
        #: True once requests may pass without a further look at the state.
        self.ready = False
        #: Called once, after the life has ended by close or failure; they must not raise.
        self.at_end: list[Callable[[], None]] = []
        #: By the name of an extension: says in a sentence what keeps requests from being welcome,
        #: or ``None``. Asked by each readiness probe, so it must answer at once.
        self.gates: dict[str, Callable[[], str | None]] = {}
        self._failure: BaseException | None = None
        self._lock = threading.RLock()
        _ALIVE.add(self)

    def boot(self, steps: Callable[[], None]) -> None:
        """Run the boot once; what a failed boot had built is closed again.

        Raises `LifecycleError` inside another boot, and after a failed or finished life.
        """
        if self.state is State.OPEN:
            with self._lock, _booting(self.name):
                if self.state is State.OPEN:
                    self._attempt(steps, State.BOOTED)
        if self.state in (State.FAILED, State.CLOSED):
            raise LifecycleError(self._why_ended()) from self._failure

    @property
    def booting(self) -> bool:
        """Tell whether this thread is inside a boot."""
        return _BOOTING.get() is not None

    def start(self, *, embedded: bool = False, command: bool = False) -> None:
        """Start every part, in order, in this process; once.

        ``embedded`` is for a container that is not ours, ``command`` for what serves nobody.

        Raises `LifecycleError` before the boot, after the end, and in a fork of the
        process that started.
        """
        with self._lock:
            self.check_process()
            if self.state in _STARTED:
                return
            if self.state is not State.BOOTED:
                raise LifecycleError(f"{self.name} is {self.state}: it can start only once booted.")
            self.state, self.pid = State.STARTING, os.getpid()
            self.embedded, self.command = embedded or command, command
            self._attempt(self._start_parts, State.SERVING)

    def has_background(self, asked: bool | None) -> bool:
        """Tell whether consumers and schedules run here, where the settings ask for this.

        ``None`` asks for nothing: then they run where Buttress serves.
        """
        return not self.command and (not self.embedded if asked is None else asked)

    def check_process(self) -> None:
        """Raise `LifecycleError` where this process is a fork of the one that started."""
        if self.pid not in (None, os.getpid()):
            raise LifecycleError(
                f"{self.name} was started in process {self.pid} and then forked: "
                "start it in each worker, after the fork."
            )

    def obstacles(self) -> dict[str, str]:
        """Name what keeps requests from being welcome, by extension; nothing where all is well."""
        said = {name: gate() for name, gate in self.gates.items()}
        return {name: sentence for name, sentence in said.items() if sentence is not None}

    def drain(self, deadline: Deadline) -> list[Exception]:
        """Tell every part at once to take no more, and wait for them until the deadline.

        Readiness is false from here on. Returns what went wrong, which is also logged.
        """
        with self._lock:
            if self.state is not State.SERVING:
                return []
            self.state = State.DRAINING
        failures = _drain_at_once(self.parts, deadline)
        for failure in failures:
            logger.error("%s: drain: %s", self.name, failure, exc_info=failure)
        return failures

    def close(self) -> None:
        """Release every part, last first; every one is tried.

        Raises an `ExceptionGroup` of all failures.
        """
        with self._lock:
            if self.state in (State.CLOSED, State.FAILED):
                return
            self.check_process()
            self.state, self.ready = State.CLOSED, False
        failures = list(self._close_parts())
        self._end()
        if failures:
            raise ExceptionGroup(f"{self.name} did not close cleanly", failures)

    def _attempt(self, work: Callable[[], None], reached: State) -> None:
        try:
            work()
        except BaseException as error:
            self._failure = error
            self.state, self.ready = State.FAILED, False
            for failure in self._close_parts():
                error.add_note(f"while closing after this: {failure!r}")
            self._end()
            raise
        self.state = reached

    def _end(self) -> None:
        for call in self.at_end:
            call()

    def _why_ended(self) -> str:
        why = f" ({self._failure})" if self._failure else ""
        return f"{self.name} is {self.state}{why}: make a new application."

    def _start_parts(self) -> None:
        for part in self.parts:
            part.start()

    def _close_parts(self) -> Iterator[Exception]:
        for part in closing_order(self.parts):
            try:
                part.close()
            except Exception as error:
                logger.exception("%s: %s did not close", self.name, part.name)
                yield error


def closing_order(parts: Sequence[Part]) -> list[Part]:
    """Give the parts in reverse, health and metrics after the pools and the log last."""
    backwards = list(reversed(parts))
    return sorted(backwards, key=lambda part: _lateness(part.name))


def _lateness(name: str) -> int:
    return CLOSE_LAST.index(name) + 1 if name in CLOSE_LAST else 0


def _drain_at_once(parts: Iterable[Part], deadline: Deadline) -> list[Exception]:
    failures: list[Exception] = []

    def drain(part: Part) -> None:
        try:
            part.drain(deadline)
        except Exception as error:  # noqa: BLE001 - reported beside the others
            failures.append(error)

    threads = [
        threading.Thread(target=drain, args=(part,), name=f"drain-{part.name}", daemon=True)
        for part in parts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(deadline.left())
    late = [thread.name for thread in threads if thread.is_alive()]
    return [*failures, *(TimeoutError(f"{name} did not end in time") for name in late)]


_BOOTING: ContextVar[str | None] = ContextVar("buttress_booting", default=None)


@contextmanager
def _booting(name: str) -> Iterator[None]:
    other = _BOOTING.get()
    if other is not None:
        raise LifecycleError(
            f"{name} would boot inside the boot of {other}: a module that {other} loads makes or "
            'runs an application. Put that under `if __name__ == "__main__":` or in a function.'
        )
    token = _BOOTING.set(name)
    try:
        yield
    finally:
        _BOOTING.reset(token)


_ALIVE: weakref.WeakSet[Lifecycle] = weakref.WeakSet()


def _after_fork() -> None:
    for lifecycle in _ALIVE:
        lifecycle.ready = False
        lifecycle._lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)
