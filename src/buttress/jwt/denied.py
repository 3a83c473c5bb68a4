"""The deny-list: the ids of tokens and sessions that are refused before their end."""

from __future__ import annotations

from typing import Protocol


class Denied(Protocol):
    """Know ids that are refused. Any thread may call it."""

    #: Whether the other processes of the service know them too.
    shared: bool

    def add(self, identity: str, until: float) -> bool:
        """Refuse an id until a time in seconds since 1970; false where it is refused already.

        Of several processes that add one at the same time, one is told that it was new. Raises
        `Unavailable` where others cannot be told.
        """

    def has(self, *identities: str) -> bool:
        """Tell whether one of these is refused. Raises `Unavailable` where that is not known."""
