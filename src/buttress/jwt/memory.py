"""The deny-list of one process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

#: The ids after which those that have ended are looked for.
OFTEN = 1000


class MemoryDenied:
    """Keep the ids in this process."""

    shared = False

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._full = OFTEN
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._until)

    def add(self, identity: str, until: float) -> bool:
        """Refuse an id until then; false where it is refused already."""
        with self._lock:
            before = self._until.get(identity)
            self._until[identity] = max(until, before or 0.0)
            if len(self._until) > self._full:
                self._forget_ended()
        return before is None

    def has(self, *identities: str) -> bool:
        """Tell whether one of these is refused."""
        return not self._until.keys().isdisjoint(identities)

    def _forget_ended(self) -> None:
        now = self._clock()
        self._until = {name: until for name, until in self._until.items() if until > now}
        self._full = len(self._until) * 2 + OFTEN
