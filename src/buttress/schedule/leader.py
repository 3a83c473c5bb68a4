"""The leader: of all processes the one that has the lease, and with it the timer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial

from buttress.db import Lease
from buttress.lifecycle import Deadline
from buttress.loop import Loop
from buttress.schedule.lane import Cluster, Lane
from buttress.schedule.timer import Timer

logger = logging.getLogger("buttress.schedule")

#: Seconds between two looks whether the database is as it must be.
LOOK_EVERY = 0.5


class Leader:
    """Seek the lease, lead while it is held, and begin anew after whatever goes wrong."""

    def __init__(
        self,
        lease: Lease,
        cluster: Cluster,
        lanes: Sequence[Lane],
        threads: int,
        obstacle: Callable[[], str | None],
    ) -> None:
        self._lease = lease
        self._cluster = cluster
        self._lanes = lanes
        self._threads = threads
        self._obstacle = obstacle
        self._lock = threading.Lock()
        self._timer: Timer | None = None
        self._fault: Exception | None = None
        self.loop = Loop("schedule", self._step)

    @property
    def leads(self) -> bool:
        """Tell whether this process leads."""
        return self._timer is not None

    @property
    def alive(self) -> bool:
        """Tell whether the threads are there that should be."""
        timer = self._timer
        ticking = timer is None or timer.alive or timer is not self._timer
        return self.loop.running and ticking

    def start(self) -> None:
        """Begin to seek the lease, in a thread."""
        self.loop.start()

    def retire(self, deadline: Deadline) -> None:
        """Lead no more, and let another process do it at once."""
        again = self.loop.stopping
        self._cluster.going = False
        self.loop.stop()
        ended = self.loop.join(deadline)
        self._rest()
        if ended and not again and self.loop.failure is None:
            self._lease.release()

    def _step(self) -> float:
        try:
            return self._lead()
        except Exception:
            self._rest()
            raise

    def _lead(self) -> float:
        """Do what there is to do, and give the seconds until the next look."""
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault
        if self._obstacle() is not None:
            self._rest()
            return LOOK_EVERY
        timer = self._timer
        if not self._lease.acquire():
            self._rest()
        elif timer is None:
            self._begin()
        else:
            timer.look()
        return self._lease.seconds / 3

    def _begin(self) -> None:
        """Find out what was missed, and let the timer wake the lanes."""
        for lane in self._lanes:
            lane.meet()
        timer = Timer(self._threads)
        for lane in self._lanes:
            most = self._threads + 1 if lane.job.overlap == "allow" else 2
            timer.add(lane.job.name, lane.job.trigger, partial(self._wake, lane), most)
        with self._lock:
            if self.loop.stopping:
                return
            self._cluster.going = True
            timer.start()
            self._timer = timer
        logger.info("This process leads the schedule")

    def _rest(self) -> None:
        """Stop the timer; runs that have begun go on."""
        with self._lock:
            self._cluster.going = False
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.stop()
            logger.info("This process leads the schedule no more")

    def _wake(self, lane: Lane) -> None:
        """Wake a lane; where the database fails it, begin anew as soon as there is one."""
        try:
            lane.wake()
        except Exception as error:  # noqa: BLE001  # the loop raises it
            self._fault = error
            self.loop.wake()
