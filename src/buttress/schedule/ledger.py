"""The ledger: which tick of each job was the last to be taken, for the whole cluster."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import IntegrityError

from buttress.db import Database, Location
from buttress.schedule.moment import Moment

#: The migrations of the table of ticks.
TICKS = Location("schedule", Path(__file__).with_name("versions"), "buttress_schedule_version")


class Ledger:
    """The table of ticks, by the keys of jobs; each method raises SQLAlchemy's errors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, job: str) -> Moment | None:
        """Give the last tick that was taken; ``None`` for a job that was never seen."""
        found: Moment | None = self._database.one(
            "SELECT last FROM buttress_tick WHERE job = :job", {"job": job}
        )
        return found

    def meet(self, job: str, now: Moment) -> Moment:
        """Give the last tick that was taken; of a new job none before now counts."""
        found = self.last(job)
        if found is not None:
            return found
        values = {"job": job, "now": now}
        try:
            self._database.run("INSERT INTO buttress_tick (job, last) VALUES (:job, :now)", values)
        except IntegrityError:  # another met it in between
            return self.meet(job, now)
        return now

    def claim(self, job: str, tick: Moment) -> bool:
        """Take a tick, and tell whether it is this process that may run it.

        One process is told so, once, whatever clocks say and however many try.
        """
        taken = self._database.run(
            "UPDATE buttress_tick SET last = :tick WHERE job = :job AND last < :tick",
            {"job": job, "tick": tick},
        )
        return taken == 1
