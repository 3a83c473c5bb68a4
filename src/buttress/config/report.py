"""Provenance: where each setting comes from, and what it overrode."""

from __future__ import annotations

import msgspec

from buttress.config.secret import display

DEFAULT = "default"


class Row(msgspec.Struct, frozen=True):
    """Tell of one setting; ``overrode`` lists the origins of weaker values, the last one first."""

    key: str
    value: object
    origin: str
    overrode: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Show the value; secrets, secret-looking names and passwords in URLs are masked."""
        return display(self.key, self.value)

    def __repr__(self) -> str:
        return f"<Row {self.key}={self.shown} from {self.origin}>"
