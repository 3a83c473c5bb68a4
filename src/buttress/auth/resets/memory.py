"""Reset codes that are kept in this process alone."""

from __future__ import annotations

import threading

from msgspec.structs import replace

from buttress.auth.resets import TRIES, Reset, Resets


class MemoryResets(Resets):
    """Keep codes until the process ends."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], Reset] = {}
        self._lock = threading.Lock()

    def forget(self, before: int) -> None:
        """Forget old ones."""
        with self._lock:
            self._kept = {key: it for key, it in self._kept.items() if it.issued > before}

    def add(self, reset: Reset) -> bool:
        """Keep one."""
        with self._lock:
            return self._kept.setdefault((reset.owner, reset.slot), reset) is reset

    def tried(self, owner: str, after: float) -> list[Reset]:
        """Count a try."""
        with self._lock:
            for it in self._of(owner):
                self._kept[owner, it.slot] = replace(it, tries=it.tries + 1)
            return [it for it in self._of(owner) if it.issued > after and it.tries <= TRIES]

    def use(self, reset: Reset) -> bool:
        """Let one be used."""
        with self._lock:
            found = self._kept.get((reset.owner, reset.slot))
            if found is None or found.digest != reset.digest:
                return False
            self._kept[reset.owner, reset.slot] = replace(found, digest="")
        return True

    def void(self, owner: str) -> None:
        """Let the others be used up."""
        with self._lock:
            for it in self._of(owner):
                self._kept[owner, it.slot] = replace(it, digest="")

    def oldest(self, owner: str) -> int | None:
        """Tell when the oldest was issued."""
        with self._lock:
            return min((it.issued for it in self._of(owner)), default=None)

    def _of(self, owner: str) -> list[Reset]:
        return [it for (whose, _), it in self._kept.items() if whose == owner]
