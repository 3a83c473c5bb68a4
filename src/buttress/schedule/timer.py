"""The timer: APScheduler, which wakes each job when its next tick comes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import (
    BackgroundScheduler,
)
from apscheduler.triggers.base import BaseTrigger

from buttress.schedule.moment import moment_of, time_of
from buttress.schedule.trigger import Trigger

#: How the pool is called in APScheduler, and with it the logger, which others share by default.
EXECUTOR = "buttress"


class Timer:
    """Wake-up calls, each in a thread of a pool; made and started where it is used."""

    def __init__(self, threads: int) -> None:
        # It tells of every call; whatever goes wrong in one is told by us.
        quiet = logging.getLogger(f"apscheduler.executors.{EXECUTOR}")
        quiet.setLevel(logging.CRITICAL)
        pool = ThreadPoolExecutor(threads, {"thread_name_prefix": "schedule"})
        self._scheduler: Any = BackgroundScheduler(
            timezone=UTC, logger=quiet, executors={EXECUTOR: pool}
        )

    @property
    def alive(self) -> bool:
        """Tell whether its thread is there."""
        # APScheduler has no public name for it.
        thread = getattr(self._scheduler, "_thread", None)
        return thread is not None and bool(thread.is_alive())

    def add(self, name: str, trigger: Trigger, wake: Callable[[], None], most: int) -> None:
        """Call ``wake`` now and at each tick, unless so many of its calls have not ended."""
        self._scheduler.add_job(
            wake,
            _Ticks(trigger),
            id=name,
            name=name,
            executor=EXECUTOR,
            coalesce=True,
            misfire_grace_time=None,
            max_instances=most,
            next_run_time=datetime.now(UTC),
        )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def look(self) -> None:
        """Read the clock anew, which may have been set, or stood still with the host."""
        self._scheduler.wakeup()

    def stop(self) -> None:
        """Wake nobody any more; calls that have begun go on."""
        self._scheduler.shutdown(wait=False)


class _Ticks(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """A trigger as APScheduler has them; ticks in the past are the lane's affair."""

    def __init__(self, trigger: Trigger) -> None:
        self._trigger = trigger

    def get_next_fire_time(self, previous: datetime | None, current: datetime) -> datetime:
        return time_of(self._trigger.after(moment_of(current)))
