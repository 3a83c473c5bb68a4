"""Reset codes that are kept in this process alone."""

from __future__ import annotations

import threading

from msgspec.structs import replace

from buttress.auth.resets import Reset, Resets


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

    def remove(self, reset: Reset) -> None:
        """Let there never have been one."""
        with self._lock:
            if self._kept.get((reset.owner, reset.slot)) == reset:
                del self._kept[reset.owner, reset.slot]

    def held(self, owner: str, after: float) -> list[Reset]:
        """Give those of an owner."""
        with self._lock:
            return [it for it in self._of(owner) if it.issued > after]

    def use(self, reset: Reset) -> bool:
        """Let one be used."""
        return self._changed(reset, replace(reset, digest=""))

    def restore(self, reset: Reset) -> None:
        """Let one hold again."""
        self._changed(replace(reset, digest=""), reset)

    def void(self, owner: str) -> None:
        """Let the others be used up."""
        with self._lock:
            for it in self._of(owner):
                self._kept[owner, it.slot] = replace(it, digest="")

    def oldest(self, owner: str) -> int | None:
        """Tell when the oldest was issued."""
        with self._lock:
            return min((it.issued for it in self._of(owner)), default=None)

    def _changed(self, old: Reset, new: Reset) -> bool:
        """Change a code, unless another was faster."""
        with self._lock:
            is_there = self._kept.get((old.owner, old.slot)) == old
            if is_there:
                self._kept[old.owner, old.slot] = new
            return is_there

    def _of(self, owner: str) -> list[Reset]:
        return [it for (whose, _), it in self._kept.items() if whose == owner]
