"""The heartbeat: the checks of every extension, at once and with a time limit."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from buttress.errors import Unhealthy
from buttress.extension import Slot
from buttress.lifecycle import Deadline

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.health")


class Run:
    """One run of one check, in a thread of its own."""

    def __init__(self, app: Service, slot: Slot) -> None:
        self._app = app
        self._name = app.name
        self._shows_errors = app.mode == "development"
        self._slot = slot
        self._began = time.perf_counter()
        self._ended = threading.Event()
        self._outcome: dict[str, Any] = {}
        threading.Thread(target=self._check, name=f"check-{slot.name}", daemon=True).start()

    @property
    def ended(self) -> bool:
        """Tell whether the check has come to an end."""
        return self._ended.is_set()

    def outcome(self, deadline: Deadline) -> dict[str, Any]:
        """Wait for the check until the deadline and tell what it found."""
        if self._ended.wait(deadline.left()):
            return self._outcome
        logger.warning("%s: the check of %s takes too long", self._name, self._slot.name)
        return {"status": "error", "detail": "timed out", "duration": self._duration()}

    def _check(self) -> None:
        problem: str | None = "the check did not finish"
        details: Mapping[str, Any] = {}
        try:
            with self._app.app_context():
                details = self._slot.check() or {}
            problem = None
        except Unhealthy as error:
            problem, details = str(error), error.details
            logger.warning("%s: %s: %s", self._name, self._slot.name, problem)
        except BaseException as error:
            # SystemExit too: it would end the thread without a word.
            problem = self._shown(error)
            logger.exception("%s: the check of %s failed", self._name, self._slot.name)
        finally:
            found = {"status": "ok"} if problem is None else {"status": "error", "detail": problem}
            self._outcome = {**found, **_shown_beside(details), "duration": self._duration()}
            self._ended.set()

    def _shown(self, error: BaseException) -> str:
        """Say what failed; the text of an exception stays inside outside development."""
        if self._shows_errors:
            return f"{type(error).__name__}: {error}"
        return "the check failed; the log says why"

    def _duration(self) -> float:
        return round(time.perf_counter() - self._began, 4)


def _shown_beside(details: Mapping[str, Any]) -> dict[str, Any]:
    return {"details": dict(details)} if details else {}


class Heartbeat:
    """The checks of one service.

    A check that hangs is waited for again, never started a second time.
    """

    def __init__(self, app: Service, timeout: float) -> None:
        self._app = cast("Service", weakref.proxy(app))
        self._timeout = timeout
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}

    def check(self) -> dict[str, dict[str, Any]]:
        """Run every check and tell what each found; takes at most the timeout."""
        deadline = Deadline(self._timeout)
        slots = [part for part in self._app.lifecycle.parts if isinstance(part, Slot)]
        runs = {slot.name: self._run(slot) for slot in slots if slot.checked}
        return {name: run.outcome(deadline) for name, run in runs.items()}

    def _run(self, slot: Slot) -> Run:
        with self._lock:
            run = self._runs.get(slot.name)
            if run is None or run.ended:
                run = self._runs[slot.name] = Run(self._app, slot)
            return run
