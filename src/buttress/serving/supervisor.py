"""The supervisor: it owns the socket, keeps the workers alive, and leads the drain."""

from __future__ import annotations

import logging
import os
import random
import select
import signal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from buttress.lifecycle import Deadline
from buttress.serving.address import close_listener, host_of, listen, url_of
from buttress.serving.child import Child, fork_child
from buttress.serving.engine import Engine
from buttress.serving.signals import STOP_SIGNALS, Signals
from buttress.serving.worker import DONE, FAILED, Worker

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.serving")

#: Seconds that workers have beyond DRAIN_TIMEOUT to close what they hold.
CLOSING = 2.0
#: Seconds after which a worker counts as having lived well.
SETTLED = 30.0
#: The first pause before a worker is replaced, in seconds, and the longest: of workers that
#: served before they died, and of those that did not.
FIRST_PAUSE, SERVED_PAUSE, LONGEST_PAUSE = 0.1, 1.0, 30.0


class Supervisor:
    """Keep ``WORKERS`` processes alive that share one listening socket.

    Raises `ServerError` where the address cannot be had.
    """

    def __init__(self, app: Service, engine: Callable[[], Engine]) -> None:
        self._app = app
        self._engine = engine
        self._settings = settings = app.settings.serving
        self._listener = listen(host_of(app), settings.port, settings.backlog)
        # The flag is shared by all workers, and so is a connection that another one has taken:
        # a worker that waited for the next in accept() would answer nobody meanwhile.
        self._listener.setblocking(False)
        # The writing end stays here, so that workers see when this process is gone.
        self._lifeline, self._held = os.pipe()
        self._children: dict[int, Child] = {}
        self._due = [Deadline(0)] * settings.workers
        self._failures = 0
        self._up = False
        self._grace: Deadline | None = None
        self._limit: Deadline | None = None
        self._code = DONE

    def run(self) -> int:
        """Serve until a signal ends it, and give the exit code: 1 where something failed."""
        _warn_of_threads()
        with Signals(*STOP_SIGNALS, signal.SIGCHLD) as signals:
            while self._due or self._children:
                self._spawn_due()
                self._wait(signals)
                self._reap()
                self._enforce()
        self._let_go()
        os.close(self._lifeline)
        os.close(self._held)
        return self._code

    def _spawn_due(self) -> None:
        due = [each for each in self._due if each.passed]
        self._due = [each for each in self._due if each not in due]
        for _ in due:
            child = fork_child(self._work, self._settings.start_timeout)
            self._children[child.pid] = child

    def _work(self, ready: Callable[[], None]) -> int:
        """Be a worker; runs in the child."""
        os.close(self._held)
        return Worker(self._app, self._engine(), self._listener, self._lifeline).run(ready)

    def _wait(self, signals: Signals) -> None:
        expected = {it.status: it for it in self._children.values() if it.expected}
        left = min((deadline.left() for deadline in self._deadlines()), default=None)
        readable, _, _ = select.select([signals.fileno(), *expected], [], [], left)
        for status in expected.keys() & set(readable):
            self._greet(expected[status])
        for number in signals.read():
            if number in STOP_SIGNALS:
                self._end(signal.Signals(number))

    def _deadlines(self) -> Iterator[Deadline]:
        yield from self._due
        yield from (child.start_by for child in self._children.values() if child.expected)
        yield from (each for each in (self._grace, self._limit) if each is not None)

    def _greet(self, child: Child) -> None:
        child.look()
        if child.ready and not self._up and self._limit is None:
            self._up = True
            self._app.announce()
            logger.info("Serving on %s", url_of(self._listener))

    def _end(self, number: signal.Signals) -> None:
        if self._limit is None:
            logger.info("%s: %s drains", number.name, self._app.name)
            self._drain(self._settings.drain_grace)
        elif self._grace is not None:
            logger.info("%s again: no grace", number.name)
            self._grace = Deadline(0)
            for pid in self._children:
                os.kill(pid, signal.SIGTERM)

    def _drain(self, grace: float) -> None:
        """Tell all workers at once, by a byte that none of them takes."""
        os.write(self._held, b"d")
        self._due.clear()
        self._grace = Deadline(grace)
        self._limit = Deadline(self._settings.drain_timeout + CLOSING)

    def _reap(self) -> None:
        for child in list(self._children.values()):
            code = child.gone()
            if code is not None:
                del self._children[child.pid]
                self._bury(child, code)

    def _bury(self, child: Child, code: int) -> None:
        if code != DONE or self._limit is None:
            logger.error("Worker %d %s", child.pid, _manner(code))
        if self._limit is not None:
            self._code = self._code if code == DONE else FAILED
            return
        if self._up or child.ready:
            self._replace(child)
        else:
            logger.error("%s does not serve: a worker could not start", self._app.name)
            self._code = FAILED
            self._drain(0)

    def _replace(self, child: Child) -> None:
        self._failures = 0 if child.age >= SETTLED else min(self._failures + 1, 10)
        longest = SERVED_PAUSE if child.ready else LONGEST_PAUSE
        pause = min(longest, FIRST_PAUSE * 2 ** min(10, max(0, self._failures - 1)))
        self._due.append(Deadline(pause * random.uniform(0.5, 1)))  # noqa: S311  # jitter

    def _enforce(self) -> None:
        """Do what the deadlines ask for."""
        if self._grace is not None and self._grace.passed:
            self._grace = None
            self._let_go()
        for child in self._children.values():
            if self._limit is not None and self._limit.passed and not child.killed:
                logger.error("Worker %d does not end within DRAIN_TIMEOUT: killed", child.pid)
                child.kill()
            elif child.expected and child.start_by.passed:
                logger.error("Worker %d does not start within START_TIMEOUT: killed", child.pid)
                child.kill()

    def _let_go(self) -> None:
        """Let go of the socket as the workers do, so that late clients are refused at once."""
        if self._listener.fileno() >= 0:
            close_listener(self._listener)


def _warn_of_threads() -> None:
    others = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
    if others:
        logger.warning(
            "Threads that run before the workers are forked are missing in them: %s. "
            "Start them in an extension's start().",
            ", ".join(others),
        )


def _manner(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
