"""The ski area: lifts and pistes, and their state in the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct, convert
from sqlalchemy import text
from sqlalchemy.orm import Session

from piste.app.main import app
from piste.app.summary.constants import CACHE_KEY


class Kind(StrEnum):
    """Name the kinds of lifts."""

    CABLE_CAR = "cable_car"
    GONDOLA = "gondola"
    CHAIRLIFT = "chairlift"
    DRAG_LIFT = "drag_lift"


class Difficulty(StrEnum):
    """Name the grades of pistes, the easiest first."""

    GREEN = "green"
    BLUE = "blue"
    RED = "red"
    BLACK = "black"


class Lift(Struct, frozen=True, kw_only=True):
    """A lift and whether it runs."""

    id: str
    name: str
    kind: Kind
    bottom_m: int
    top_m: int
    open: bool


class Piste(Struct, frozen=True, kw_only=True):
    """A piste, the lift that leads to it, and its state, which somebody saw at ``reported_at``."""

    id: str
    name: str
    difficulty: Difficulty
    length_m: int
    lift: str
    open: bool
    groomed: bool
    snow_cm: int | None
    reported_at: datetime


Part = TypeVar("Part", Lift, Piste)


def find(part: type[Part], **criteria: object) -> list[Part]:
    """Give the lifts or pistes whose columns have these values, in the order of the data file."""
    columns = ", ".join(part.__struct_fields__)
    conditions = " AND ".join(["1 = 1", *(f"{name} = :{name}" for name in criteria)])
    table = part.__name__.lower()
    # Names come from our own classes; values are bound.
    sql = f"SELECT {columns} FROM {table} WHERE {conditions} ORDER BY position"  # noqa: S608
    return [convert(row._asdict(), part, strict=False) for row in app.db.all(sql, criteria)]


@contextmanager
def locked(lift_id: str) -> Iterator[Session]:
    """Give a transaction in which nobody else changes a lift or its pistes; commit it at the end.

    An UPDATE that changes nothing locks a row on every database.
    """
    session = app.db.session
    session.execute(text("UPDATE lift SET open = open WHERE id = :id"), {"id": lift_id})
    yield session
    session.commit()
    app.cache.delete(CACHE_KEY)
