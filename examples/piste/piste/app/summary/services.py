"""The figures of the day."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from piste.app.area import Difficulty, Lift, Piste, area


class Count(Struct):
    """How many there are, and how many of them are open."""

    open: int
    total: int


class Summary(Struct):
    """What is open today; the length in metres."""

    area: str
    lifts: Count
    pistes: Count
    open_length_m: int
    by_difficulty: dict[Difficulty, Count]


def summary() -> Summary:
    """Count everything at one moment."""
    with area.lock:
        lifts, pistes = list(area.lifts.values()), list(area.pistes.values())
    return Summary(
        area=area.name,
        lifts=count(lifts),
        pistes=count(pistes),
        open_length_m=sum(it.length_m for it in pistes if it.open),
        by_difficulty={
            grade: count(it for it in pistes if it.difficulty is grade) for grade in Difficulty
        },
    )


def count(found: Iterable[Lift | Piste]) -> Count:
    """Count lifts or pistes, and the open ones among them."""
    states = [it.open for it in found]
    return Count(sum(states), len(states))
