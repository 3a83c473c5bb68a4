"""A lane: one job in this process, which takes the ticks that are due and runs them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from buttress.db import Lease
from buttress.schedule.job import Job, Tick
from buttress.schedule.keeper import Keeper
from buttress.schedule.ledger import Ledger
from buttress.schedule.moment import SECOND, Clock, Moment, time_of
from buttress.web import correlated

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.schedule")

#: Seconds between two looks whether a job that runs elsewhere has ended.
LOOK_EVERY = 0.2
#: Seconds by which the clocks of two processes may differ without a warning.
AHEAD = 60
#: Most ticks that are counted as skipped at once.
COUNTED = 10_000


class Cluster:
    """What the lanes of a process share, and how they share jobs with other processes."""

    def __init__(
        self,
        app: Service,
        ledger: Ledger,
        keeper: Keeper,
        lease: Callable[[str], Lease],
        clock: Clock,
    ) -> None:
        self.app = app
        self.ledger = ledger
        self.keeper = keeper
        #: Makes the lease of a job.
        self.lease = lease
        self.clock = clock
        #: Whether ticks may be taken; only in the process that leads.
        self.going = False


class Lane:
    """The ticks of one job, one after the other unless they may overlap.

    `meet`, `wake` and `run` raise SQLAlchemy's errors where the database fails.
    """

    def __init__(self, job: Job, cluster: Cluster) -> None:
        self.job = job
        self._cluster = cluster
        #: The last tick that anyone has taken, as far as is known here.
        self.last: Moment | None = None
        #: How many runs there are now, how many failed, and how many ticks came during a run.
        self.running = self.failed = self.skipped = 0
        #: How many threads are about this job, from before a claim until after the last release.
        self.engaged = 0
        self._lock = threading.Lock()
        self._busy = self._woken = False

    def meet(self) -> None:
        """Read which tick was the last; of a job that is new none before now counts."""
        now = self._cluster.clock()
        self.last = self._cluster.ledger.meet(self.job.key, now)
        ahead = (self.last - now) / SECOND
        if ahead > AHEAD:
            logger.warning(
                "%s last ran at a time that is %.0f s ahead: a clock is or was wrong; it runs "
                "again after that",
                self.job.name,
                ahead,
            )

    def wake(self) -> None:
        """Run what is due. Where that is under way already, it looks once more at its end."""
        with self._counted("engaged"):
            if self.job.overlap == "allow":
                self._run_until(self._cluster.clock)
            elif self._enters():
                self._run_woken()

    def run(self) -> bool:
        """Run the job once, outside of its ticks; raises what it raises.

        False where it runs already, anywhere, and may not overlap.
        """
        with self._counted("engaged"), self._alone(patient=False) as alone:
            if alone:
                with correlated(None):
                    self._perform(self._cluster.clock())
            return alone

    def _enters(self) -> bool:
        """Ask for a look at what is due, and tell whether nobody is about it yet."""
        with self._lock:
            self._woken = True
            entered, self._busy = not self._busy, True
            return entered

    def _run_woken(self) -> None:
        try:
            while self._is_woken():
                self._run_alone()
        except BaseException:
            self._busy = False
            raise

    def _is_woken(self) -> bool:
        with self._lock:
            self._busy, self._woken = self._woken, False
            return self._busy

    def _run_alone(self) -> None:
        """Run what is due while this job runs nowhere else."""
        now = self._cluster.clock()
        if not self._due(now):
            return
        patient = self.job.overlap == "wait"
        with self._alone(patient) as alone:
            if alone:
                self._run_until(self._cluster.clock if patient else lambda: now)
        if not patient:
            self._skip(now, alone)

    def _run_until(self, end: Clock) -> None:
        """Take one tick after the other that is due by then, and run it."""
        while due := self._due(end()):
            for tick in due:
                if self._take(tick, end()):
                    self._try(tick)

    def _due(self, now: Moment) -> list[Moment]:
        if not self._cluster.going or self.last is None:
            return []
        return self.job.due(self.last, now)

    def _take(self, tick: Moment, now: Moment) -> bool:
        """Claim a tick that was due, unless it is taken or too late by now."""
        with self._lock:
            taken = self.last is not None and tick <= self.last
            if taken or not self._cluster.going or not self.job.wants(tick, now):
                return False
            return self._claim(tick)

    def _claim(self, tick: Moment) -> bool:
        """Take a tick for this process; where others are ahead, follow them."""
        claimed = self._cluster.ledger.claim(self.job.key, tick)
        if claimed:
            self.last = tick
        else:
            self.meet()
        return claimed

    def _skip(self, now: Moment, alone: bool) -> None:
        """Take the ticks that came while the job ran, here or elsewhere, and run none of them."""
        if not alone:
            self.meet()
        last = self.last or 0
        if alone and self.job.due(last, now):
            return  # stopped half-way: the rest is for whoever leads next
        begin, end = (max(last, now), self._cluster.clock()) if alone else (last, now)
        ticks = self.job.trigger.between(begin, end, COUNTED)
        with self._lock:
            if ticks and self._claim(ticks[-1]):
                self.skipped += len(ticks)
                logger.info("%s still runs: %d ticks skipped", self.job.name, len(ticks))

    @contextmanager
    def _alone(self, patient: bool) -> Iterator[bool]:
        """Hold the lease of this job, and tell whether it was to be had; the patient wait."""
        if self.job.overlap == "allow":
            yield True
            return
        lease = self._cluster.lease(self.job.key)
        while not (held := lease.acquire()) and patient and self._cluster.going:
            time.sleep(LOOK_EVERY)
        if not held:
            yield False
            return
        with self._cluster.keeper.keeping(lease):
            yield True

    def _try(self, moment: Moment) -> None:
        """Run a tick; a failure is logged and counted, and stops no other."""
        with correlated(None):
            try:
                self._perform(moment)
            except (Exception, SystemExit):
                with self._lock:
                    self.failed += 1
                logger.exception("The scheduled job %s failed", self.job.name)

    def _perform(self, moment: Moment) -> None:
        late = (self._cluster.clock() - moment) / SECOND
        with self._counted("running"), self._cluster.app.app_context():
            self.job.call(Tick(self.job.name, time_of(moment), late))

    @contextmanager
    def _counted(self, counter: Literal["engaged", "running"]) -> Iterator[None]:
        """Let a counter be one more during this block."""
        with self._lock:
            setattr(self, counter, getattr(self, counter) + 1)
        try:
            yield
        finally:
            with self._lock:
                setattr(self, counter, getattr(self, counter) - 1)
