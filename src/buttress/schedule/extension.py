"""The extension ``schedule``: jobs that run at their times, once in the whole cluster."""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from buttress.db import Database, DbExtension, Lease
from buttress.errors import LifecycleError, SetupError, Unhealthy
from buttress.extension import Extension
from buttress.lifecycle import Deadline
from buttress.schedule.job import Job, Misfire, Overlap
from buttress.schedule.keeper import Keeper
from buttress.schedule.lane import Cluster, Lane
from buttress.schedule.leader import Leader
from buttress.schedule.ledger import TICKS, Ledger
from buttress.schedule.moment import Clock, Moment, now, time_of
from buttress.schedule.settings import ScheduleSettings
from buttress.schedule.trigger import Cron, Every, Trigger

if TYPE_CHECKING:
    from buttress.declare import Marked
    from buttress.service import Service

F = TypeVar("F", bound=Callable[..., Any])

#: Seconds that a close without a drain waits for jobs to end.
CLOSE_WITHIN = 1.0


class Schedule:
    """What ``app.schedule`` is: the jobs, and this process's part in running them."""

    def __init__(
        self, app: Service, database: Database, settings: ScheduleSettings, clock: Clock = now
    ) -> None:
        # A service has its schedule: a plain reference back would be a cycle.
        self._app = cast("Service", weakref.proxy(app))
        self._database = database
        self._settings = settings
        self._jobs: dict[str, Job] = {}
        self._adopted = 0
        self._lanes: list[Lane] | None = None
        self._leader: Leader | None = None
        self._keeper = Keeper(settings.lease / 3)
        self.ledger = Ledger(database)
        self._cluster = Cluster(self._app, self.ledger, self._keeper, self._job_lease, clock)

    def every(
        self,
        *,
        seconds: float,
        offset: float = 0,
        name: str | None = None,
        misfire: Misfire = "once",
        overlap: Overlap = "skip",
        grace: float | None = None,
    ) -> Callable[[F], F]:
        """Run the decorated function at each multiple of ``seconds`` since 1970, plus ``offset``.

        Raises `SetupError` for what cannot be run, and for a name that another job has.
        """
        policies = (name, misfire, overlap, grace)
        return self._decorator(lambda: Every(seconds, offset), *policies)

    def cron(
        self,
        expression: str,
        *,
        timezone: str | None = None,
        name: str | None = None,
        misfire: Misfire = "once",
        overlap: Overlap = "skip",
        grace: float | None = None,
    ) -> Callable[[F], F]:
        """Run the decorated function at the times of a crontab entry of five fields.

        Raises what `every` raises.
        """
        zone = timezone or self._settings.timezone
        return self._decorator(lambda: Cron(expression, zone), name, misfire, overlap, grace)

    @property
    def jobs(self) -> Mapping[str, Job]:
        """Give all jobs by their names, those of marked functions included."""
        marked = self._app.marked[self._adopted :]
        self._adopted += len(marked)
        for each in marked:
            if each.mark.kind in ("every", "cron"):
                self._adopt(each)
        return self._jobs

    def next(self, name: str) -> Moment:
        """Give the next tick of a job, in microseconds since 1970."""
        return self.jobs[name].trigger.after(self._cluster.clock())

    def run(self, name: str) -> bool:
        """Run a job now, in this thread, outside of its ticks; raises what it raises.

        False where it runs already, anywhere, and may not overlap. Raises `SetupError` for a job
        that is not there.
        """
        if name not in self.jobs:
            known = ", ".join(self.jobs) or "none"
            raise SetupError(f"There is no scheduled job '{name}'. There are: {known}.")
        return self._lane(name).run()

    def start(self) -> None:
        """Take part in running the jobs, unless the settings or the container stand against it."""
        self._lanes = [Lane(job, self._cluster) for job in self.jobs.values()]
        if not self._lanes or not self._app.lifecycle.has_background(self._settings.run):
            return
        self._leader = Leader(
            # Several services may share a database.
            self._database.lease(f"schedule/{self._app.package}", self._settings.lease),
            self._cluster,
            self._lanes,
            self._settings.threads,
            lambda: self._database.guard.obstacle,
        )
        self._leader.start()

    def report(self) -> dict[str, Any]:
        """Tell whether this process leads, and how the jobs fare; raises `Unhealthy`."""
        leader = self._leader
        jobs = {lane.job.name: self._report_of(lane) for lane in self._lanes or ()}
        details: dict[str, Any] = {"leader": leader is not None and leader.leads, "jobs": jobs}
        if leader is not None and not leader.loop.stopping:
            if not leader.alive:
                raise Unhealthy("A thread of the schedule has ended.", **details)
            if leader.loop.failure is not None:
                raise Unhealthy("The schedule stands still; the log says why.", **details)
        return details

    def drain(self, deadline: Deadline) -> None:
        """Take no more ticks, let another process lead, and wait for the jobs that run.

        Raises TimeoutError where some still run at the deadline.
        """
        try:
            if self._leader is not None:
                self._leader.retire(deadline)
        finally:
            self._await_jobs(deadline)

    def close(self) -> None:
        """End every thread; raises TimeoutError for jobs that do not end."""
        try:
            self.drain(Deadline(CLOSE_WITHIN))
        finally:
            self._keeper.close(Deadline(CLOSE_WITHIN))

    def _decorator(
        self,
        trigger: Callable[[], Trigger],
        name: str | None,
        misfire: Misfire,
        overlap: Overlap,
        grace: float | None,
    ) -> Callable[[F], F]:
        def decorate(function: F) -> F:
            known = name or name_of(function)
            try:
                times = trigger()
            except (TypeError, ValueError) as error:
                raise SetupError(f"The scheduled job '{known}': {error}.") from error
            patience = self._settings.grace if grace is None else grace
            limit = self._settings.catch_up
            key = f"{self._app.package}:{known}"
            self._add(Job(known, key, function, times, misfire, overlap, patience, limit))
            return function

        return decorate

    def _await_jobs(self, deadline: Deadline) -> None:
        while (engaged := self._engaged()) and not deadline.passed:
            time.sleep(0.01)
        if engaged:
            raise TimeoutError(f"scheduled jobs still run: {', '.join(engaged)}")

    def _add(self, job: Job) -> None:
        if self._lanes is not None:
            raise LifecycleError(
                f"The scheduled job '{job.name}' comes too late: declare it before the service "
                "starts, in a module that discovery loads or in postconfig()."
            )
        if job.name in self._jobs:
            raise SetupError(
                f"There are two scheduled jobs '{job.name}': give one of them another name=."
            )
        self._jobs[job.name] = job

    def _adopt(self, marked: Marked) -> None:
        function, (kind, arguments) = marked
        declare: Callable[..., Any] = self.every if kind == "every" else self.cron
        try:
            decorate = declare(**arguments)
        except TypeError as error:
            raise SetupError(f"The scheduled job '{name_of(function)}': {error}.") from error
        decorate(function)

    def _lane(self, name: str) -> Lane:
        lanes: Iterable[Lane] = self._lanes or ()
        known = {lane.job.name: lane for lane in lanes}
        return known.get(name) or Lane(self.jobs[name], self._cluster)

    def _job_lease(self, key: str) -> Lease:
        """Make the lease of a job, which ends before that of a leader who was killed with it."""
        return self._database.lease(f"schedule:{key}", self._settings.lease * 2 / 3)

    def _engaged(self) -> list[str]:
        return [lane.job.name for lane in self._lanes or () if lane.engaged]

    def _report_of(self, lane: Lane) -> dict[str, Any]:
        return {
            "next": shown(self.next(lane.job.name)),
            "last": shown(lane.last),
            "running": lane.running,
            "failed": lane.failed,
            "skipped": lane.skipped,
        }


class ScheduleExtension(Extension[ScheduleSettings, Schedule]):
    """Run jobs at their times, each once in the whole cluster."""

    name = "schedule"
    settings = ScheduleSettings

    def requires(self, settings: ScheduleSettings) -> tuple[str, ...]:
        """Name the database, in which processes agree."""
        return ("db",)

    def build(self, app: Service, settings: ScheduleSettings) -> Schedule:
        """Make it."""
        database = app.use(DbExtension)
        database.need_leases()
        database.migrations.locations.append(TICKS)
        return Schedule(app, database, settings)

    def start(self, it: Schedule) -> None:
        """Take part in running the jobs."""
        it.start()

    def check(self, it: Schedule) -> Mapping[str, Any]:
        """Tell how the jobs fare."""
        return it.report()

    def drain(self, it: Schedule, deadline: Deadline) -> None:
        """Take no more ticks and finish those that run."""
        it.drain(deadline)

    def close(self, it: Schedule) -> None:
        """End every thread."""
        it.close()


def name_of(function: Callable[..., Any]) -> str:
    """Give the name that a job has unless it is given another: module and function."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    module = getattr(function, "__module__", type(function).__module__)
    # What one process runs as its main module others import by its name.
    spec = sys.modules["__main__"].__spec__ if module == "__main__" else None
    return f"{module if spec is None else spec.name}.{name}"


def shown(moment: Moment | None) -> str | None:
    """Write a moment as in RFC 3339, in UTC; ``None`` where there is none."""
    return None if moment is None else time_of(moment).isoformat().replace("+00:00", "Z")
