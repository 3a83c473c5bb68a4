"""The figures of the day."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from piste.app.area import Difficulty, Lift, Piste, find
from piste.app.main import app
from piste.app.summary.constants import CACHE_KEY


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
    """Give the figures, counted once for all who ask within `SUMMARY_SECONDS` of one another."""
    figures: Summary = app.cache.once(CACHE_KEY, app.config["SUMMARY_SECONDS"], counted)
    return figures


def counted() -> Summary:
    """Count everything."""
    pistes = find(Piste)
    return Summary(
        area=app.config["AREA_NAME"],
        lifts=count(find(Lift)),
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
