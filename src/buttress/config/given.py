"""What the sources give: names with values, before anything is known of their types."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

Undeclared = Literal["refuse", "new", "similar", "suspect", "warn"]


class Given(msgspec.Struct, frozen=True):
    """Hold one value as a source spells it.

    ``text`` is what was written where ``value`` is a typed reading of it. ``undeclared`` says
    what to do when no section declares the name: refuse it; refuse it when no weaker source has
    it either (new); refuse it when it is similar to one that is declared; refuse it when it has a
    section's prefix as well (suspect); or warn and keep it. ``variables`` are
    those of the environment that the value was made from.
    """

    name: str
    value: object
    origin: str
    text: str | tuple[str, ...] | None = None
    undeclared: Undeclared = "suspect"
    variables: tuple[str, ...] = ()


Layer = list[Given]


class Findings(msgspec.Struct):
    """Collect what is wrong, and what is only odd, while the sources are read."""

    problems: list[str] = msgspec.field(default_factory=list)
    warnings: list[str] = msgspec.field(default_factory=list)


def shown(path: Path) -> str:
    """Show a path from the current folder where it lies below it."""
    absolute = path.absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else path)
