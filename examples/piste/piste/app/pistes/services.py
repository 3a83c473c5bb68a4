"""The rules of pistes."""

from __future__ import annotations

import logging
import time

from msgspec import UNSET, Struct, UnsetType, to_builtins
from sqlalchemy import text
from sqlalchemy.orm import Session

from buttress import Code, Problem
from piste.app.area import Difficulty, Lift, Piste, find, locked
from piste.app.closures.services import Closure, announce

logger = logging.getLogger(__name__)

LIFT_RUNS = text("SELECT open FROM lift WHERE id = :id")
IS_OPEN = text("SELECT open FROM piste WHERE id = :id")
OPEN = text("UPDATE piste SET open = TRUE, reported_at = :now WHERE id = :id")
CLOSE = text("UPDATE piste SET open = FALSE WHERE id = :id")
GROOM = text("UPDATE piste SET groomed = :groomed WHERE id = :id")


class Criteria(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which pistes are meant; what is unset does not matter."""

    difficulty: Difficulty | UnsetType = UNSET
    lift: str | UnsetType = UNSET
    open: bool | UnsetType = UNSET
    groomed: bool | UnsetType = UNSET


class Change(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new state of a piste; what is unset stays."""

    open: bool | UnsetType = UNSET
    groomed: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.open is UNSET and self.groomed is UNSET:
            raise ValueError("Name what changes: `open`, `groomed`")


def matching(criteria: Criteria) -> list[Piste]:
    """Give the pistes that meet every criterion, in the order of the data file."""
    return find(Piste, **to_builtins(criteria))


def one(piste_id: str) -> Piste:
    """Give a piste by its id; answers 404 where there is none."""
    for piste in find(Piste, id=piste_id):
        return piste
    raise Problem(Code.NOT_FOUND, f"There is no piste '{piste_id}'.")


def change(piste_id: str, new: Change) -> Piste:
    """Change a piste; answers 409 where it shall open and its lift is closed.

    Who opens it has seen it, as if by a report. Of one that closes the patrol is told.
    """
    piste = one(piste_id)
    with locked(piste.lift) as session:
        if new.groomed is not UNSET:
            session.execute(GROOM, {"id": piste_id, "groomed": new.groomed})
        if new.open is True:
            _open(session, piste)
        if new.open is False:
            _close(session, piste)
    logger.info("Piste %s: %s", piste_id, to_builtins(new))
    return one(piste_id)


def _open(session: Session, piste: Piste) -> None:
    if not session.scalar(LIFT_RUNS, {"id": piste.lift}):
        (lift,) = find(Lift, id=piste.lift)
        detail = f"{lift.name} is closed: open it before {piste.name}."
        raise Problem(Code.CONFLICT, detail, lift=lift.id)
    session.execute(OPEN, {"id": piste.id, "now": time.time()})


def _close(session: Session, piste: Piste) -> None:
    if session.scalar(IS_OPEN, {"id": piste.id}):
        session.execute(CLOSE, {"id": piste.id})
        announce(Closure(pistes=[piste.name], reason="by hand"))
