"""The rules of pistes."""

from __future__ import annotations

import logging

from msgspec import UNSET, Struct, UnsetType, structs, to_builtins

from buttress import Code, Problem
from piste.app.area import Difficulty, Piste, area

logger = logging.getLogger(__name__)


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
    wanted = to_builtins(criteria).items()
    with area.lock:
        pistes = list(area.pistes.values())
    return [piste for piste in pistes if all(getattr(piste, key) == it for key, it in wanted)]


def one(piste_id: str) -> Piste:
    """Give a piste by its id; answers 404 where there is none."""
    if piste_id not in area.pistes:
        raise Problem(Code.NOT_FOUND, f"There is no piste '{piste_id}'.")
    return area.pistes[piste_id]


def change(piste_id: str, new: Change) -> Piste:
    """Change a piste; answers 409 where it shall open and its lift is closed."""
    with area.lock:
        piste = structs.replace(one(piste_id), **to_builtins(new))
        if new.open is True:
            _refuse_closed_lift(piste)
        area.pistes[piste_id] = piste
    logger.info("Piste %s: open %s, groomed %s", piste_id, piste.open, piste.groomed)
    return piste


def _refuse_closed_lift(piste: Piste) -> None:
    lift = area.lifts[piste.lift]
    if not lift.open:
        detail = f"{lift.name} is closed: open it before {piste.name}."
        raise Problem(Code.CONFLICT, detail, lift=lift.id)
