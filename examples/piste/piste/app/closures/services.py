"""Closures: of pistes of which nobody has reported for long, and what the patrol is told."""

from __future__ import annotations

import logging
import time

from msgspec import Struct, to_builtins
from sqlalchemy import text

from piste.app.closures.constants import QUEUE
from piste.app.main import app
from piste.app.summary.constants import CACHE_KEY

logger = logging.getLogger(__name__)

HOUR = 3600.0
#: The first locks the rows, so that the others see the same ones.
LOCK_STALE = text("UPDATE piste SET open = open WHERE open AND reported_at < :oldest")
STALE = text("SELECT name FROM piste WHERE open AND reported_at < :oldest ORDER BY position")
CLOSE_STALE = text("UPDATE piste SET open = FALSE WHERE open AND reported_at < :oldest")


class Closure(Struct, kw_only=True):
    """The names of pistes that were closed together, and why."""

    pistes: list[str]
    reason: str


def announce(closure: Closure) -> None:
    """Have the patrol told once the session's transaction is committed, and not without it."""
    app.queues.send(QUEUE, to_builtins(closure))


def close_stale() -> None:
    """Close the open pistes whose last report is older than `STALE_AFTER_HOURS`."""
    hours = app.config["STALE_AFTER_HOURS"]
    session, bound = app.db.session, {"oldest": time.time() - hours * HOUR}
    session.execute(LOCK_STALE, bound)
    stale = list(session.scalars(STALE, bound))
    if stale:
        session.execute(CLOSE_STALE, bound)
        announce(Closure(pistes=stale, reason=f"no report for {hours:g} hours"))
        logger.warning("Closed, without a report for %g hours: %s", hours, ", ".join(stale))
    session.commit()
    app.cache.delete(CACHE_KEY)


def tell_patrol(closure: Closure) -> None:
    """Send the mail. Raises `Unavailable` where that is to be tried again."""
    several = f"{len(closure.pistes)} pistes are" if closure.pistes[1:] else "A piste is"
    lines = "\n".join(f"- {name}" for name in closure.pistes)
    app.mail.send(
        to=app.config["PATROL_ADDRESS"],
        subject=f"{several} closed",
        text=f"Closed, {closure.reason}:\n\n{lines}\n",
    )
