"""The rules of lifts."""

from __future__ import annotations

import logging

from msgspec import UNSET, Struct, UnsetType, to_builtins
from sqlalchemy import text
from sqlalchemy.orm import Session

from buttress import Code, Problem
from piste.app.area import Kind, Lift, find, locked

logger = logging.getLogger(__name__)

CHANGE = text("UPDATE lift SET open = :open WHERE id = :id")
OPEN_PISTES = text("SELECT id FROM piste WHERE lift = :id AND open ORDER BY position")


class Criteria(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which lifts are meant; what is unset does not matter."""

    kind: Kind | UnsetType = UNSET
    open: bool | UnsetType = UNSET


class Change(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new state of a lift."""

    open: bool


def matching(criteria: Criteria) -> list[Lift]:
    """Give the lifts that meet every criterion, in the order of the data file."""
    return find(Lift, **to_builtins(criteria))


def one(lift_id: str) -> Lift:
    """Give a lift by its id; answers 404 where there is none."""
    for lift in find(Lift, id=lift_id):
        return lift
    raise Problem(Code.NOT_FOUND, f"There is no lift '{lift_id}'.")


def change(lift_id: str, new: Change) -> Lift:
    """Open or close a lift; answers 409 where it shall close and a piste of it is open."""
    lift = one(lift_id)
    with locked(lift_id) as session:
        if not new.open:
            _refuse_open_pistes(session, lift)
        session.execute(CHANGE, {"id": lift_id, "open": new.open})
    logger.info("Lift %s: open %s", lift_id, new.open)
    return one(lift_id)


def _refuse_open_pistes(session: Session, lift: Lift) -> None:
    still = list(session.scalars(OPEN_PISTES, {"id": lift.id}))
    if still:
        detail = f"{lift.name} serves open pistes: close {', '.join(still)} first."
        raise Problem(Code.CONFLICT, detail, pistes=still)
