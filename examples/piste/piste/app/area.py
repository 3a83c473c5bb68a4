"""The ski area: what it consists of, and its state, kept in memory and changed under a lock."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from threading import RLock

import msgspec

from piste.app.main import app


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


class Lift(msgspec.Struct, frozen=True, kw_only=True):
    """A lift and whether it runs."""

    id: str
    name: str
    kind: Kind
    bottom_m: int
    top_m: int
    open: bool


class Piste(msgspec.Struct, frozen=True, kw_only=True):
    """A piste, the lift that leads to it, and its state today."""

    id: str
    name: str
    difficulty: Difficulty
    length_m: int
    lift: str
    open: bool
    groomed: bool


class Content(msgspec.Struct, kw_only=True):
    """What the data file holds."""

    name: str
    lifts: list[Lift]
    pistes: list[Piste]


class Area:
    """The lifts and pistes by their ids. Whoever reads and then writes holds `lock`."""

    def __init__(self, content: Content) -> None:
        self.name = content.name
        self.lock = RLock()
        self.lifts = {lift.id: lift for lift in content.lifts}
        self.pistes = {piste.id: piste for piste in content.pistes}
        self._refuse_lost_pistes()

    def _refuse_lost_pistes(self) -> None:
        for piste in self.pistes.values():
            if piste.lift not in self.lifts:
                raise ValueError(f"The piste '{piste.id}' has no lift: there is no '{piste.lift}'.")


def load(path: Path) -> Area:
    """Read the data file; raises `msgspec.ValidationError` where it is not as it should be."""
    return Area(msgspec.json.decode(path.read_bytes(), type=Content))


area = load(Path(app.root_path, app.config["DATA_FILE"]))
