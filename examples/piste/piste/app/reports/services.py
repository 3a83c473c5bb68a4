"""The rules of snow reports."""

from __future__ import annotations

import logging
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, to_builtins
from sqlalchemy import text

from buttress.errors import Reject
from piste.app.area import Piste, find
from piste.app.main import app
from piste.app.pistes.services import one
from piste.app.reports.constants import QUEUE

logger = logging.getLogger(__name__)

INGEST = text(
    "UPDATE piste SET snow_cm = :snow_cm, groomed = COALESCE(:groomed, groomed), reported_at = :at "
    "WHERE id = :piste AND reported_at <= :at"
)


class Report(Struct, forbid_unknown_fields=True, kw_only=True):
    """What somebody measured on a piste; the depth of the snow in centimetres."""

    piste: str
    snow_cm: Annotated[int, Meta(ge=0, le=2000)]
    groomed: bool | UnsetType = UNSET


def take(report: Report) -> str:
    """Send a report to the queue and give the message's id; answers 404 for an unknown piste."""
    one(report.piste)
    return app.queues.send(QUEUE, to_builtins(report)).id


def ingest(report: Report, at: float) -> None:
    """Write a report that was made at ``at``, in seconds since 1970, unless a later one is known.

    Runs in the transaction of its message. Raises `Reject` for an unknown piste.
    """
    if not find(Piste, id=report.piste):
        raise Reject(f"There is no piste '{report.piste}'.")
    groomed = None if report.groomed is UNSET else report.groomed
    values = {"piste": report.piste, "snow_cm": report.snow_cm, "groomed": groomed, "at": at}
    app.db.session.execute(INGEST, values)
    logger.info("Piste %s: %d cm of snow", report.piste, report.snow_cm)
