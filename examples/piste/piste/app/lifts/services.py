"""The rules of lifts."""

from __future__ import annotations

import logging

from msgspec import UNSET, Struct, UnsetType, structs, to_builtins

from buttress import Code, Problem
from piste.app.area import Kind, Lift, area

logger = logging.getLogger(__name__)


class Criteria(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which lifts are meant; what is unset does not matter."""

    kind: Kind | UnsetType = UNSET
    open: bool | UnsetType = UNSET


class Change(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new state of a lift."""

    open: bool


def matching(criteria: Criteria) -> list[Lift]:
    """Give the lifts that meet every criterion, in the order of the data file."""
    wanted = to_builtins(criteria).items()
    with area.lock:
        lifts = list(area.lifts.values())
    return [lift for lift in lifts if all(getattr(lift, key) == it for key, it in wanted)]


def one(lift_id: str) -> Lift:
    """Give a lift by its id; answers 404 where there is none."""
    if lift_id not in area.lifts:
        raise Problem(Code.NOT_FOUND, f"There is no lift '{lift_id}'.")
    return area.lifts[lift_id]


def change(lift_id: str, new: Change) -> Lift:
    """Open or close a lift; answers 409 where it shall close and a piste of it is open."""
    with area.lock:
        lift = structs.replace(one(lift_id), open=new.open)
        if not lift.open:
            _refuse_open_pistes(lift)
        area.lifts[lift_id] = lift
    logger.info("Lift %s: open %s", lift_id, lift.open)
    return lift


def _refuse_open_pistes(lift: Lift) -> None:
    still = [it.id for it in area.pistes.values() if it.lift == lift.id and it.open]
    if still:
        detail = f"{lift.name} serves open pistes: close {', '.join(still)} first."
        raise Problem(Code.CONFLICT, detail, pistes=still)
