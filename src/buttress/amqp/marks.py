"""The marks of messages that were delivered before, and which of them to believe."""

from __future__ import annotations


class Marks:
    """Tell which marks stand for a delivery, among the messages that one connection receives.

    A classic queue does not count deliveries; it marks what was delivered. After the broker was
    killed it marks all that it has kept, so most marks are false then. True are those of
    messages that somebody had in hand: they come first, at most ``first`` to each connection.
    Once a message comes without a mark, what was kept is through, and every mark is true.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._through = False

    def believes(self, *, marked: bool) -> bool:
        """Tell of the next message whether it was delivered before."""
        believed = marked and (self._through or self._first > 0)
        self._first -= 1
        self._through = self._through or not marked
        return believed
