"""Memory for what was checked already."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T", str, tuple[str, str])

#: How many things are remembered, and how many characters one may have.
REMEMBERED, LONGEST = 1024, 256


class Known(set[T]):
    """What was found to be fine, and need not be checked again; emptied when it is full."""

    def note(self, it: T, text: str) -> None:
        """Remember something, unless its text is so long that many would fill the memory."""
        if len(text) > LONGEST:
            return
        if len(self) >= REMEMBERED:
            self.clear()
        self.add(it)
