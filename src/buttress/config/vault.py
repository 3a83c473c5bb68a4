"""The vault: secrets that were taken out of the process environment."""

from __future__ import annotations

import threading
from collections import ChainMap
from collections.abc import MutableMapping


class Vault:
    """Keep secrets that were read from the environment and removed from it.

    Some servers merge the whole process environment into every request. The vault lets a
    second application of the process, or a child that is started later, have them all the same.
    Each is kept for its holders, and goes back with the last of them.
    """

    def __init__(self) -> None:
        #: Held from the look at an environment until what is taken out of it is here.
        self.lock = threading.Lock()
        self._taken: dict[str, dict[object, str]] = {}

    def take(self, name: str, environ: MutableMapping[str, str], holder: object = None) -> None:
        """Move one variable out of an environment, and keep it for a holder.

        One that was taken before is kept for this holder too; one that was never set is left alone.
        """
        value = environ.pop(name, None)
        if value is None:
            value = self.environ().get(name)
        if value is not None:
            self._taken.setdefault(name, {})[holder] = value

    def held(self, holder: object) -> tuple[str, ...]:
        """Name the variables that are kept for a holder."""
        return tuple(name for name, holders in self._taken.items() if holder in holders)

    def give_back(self, holder: object, environ: MutableMapping[str, str]) -> None:
        """Put back what is kept for this holder and no other; once is enough.

        A variable that was set anew meanwhile stays as it is.
        """
        for name, holders in list(self._taken.items()):
            value = holders.pop(holder, None)
            if not holders:
                del self._taken[name]
                if value is not None:
                    environ.setdefault(name, value)

    def over(self, environ: MutableMapping[str, str]) -> MutableMapping[str, str]:
        """View an environment as it was before variables were taken; what it has now wins."""
        return ChainMap(environ, self.environ())

    def replaced(self, environ: MutableMapping[str, str]) -> frozenset[str]:
        """Name what was taken as ``<NAME>`` where the environment now has ``<NAME>_FILE``."""
        return frozenset(
            name for name in self._taken if name not in environ and f"{name}_FILE" in environ
        )

    def environ(self) -> dict[str, str]:
        """Give the variables to add to the environment of a child process."""
        return {name: list(holders.values())[-1] for name, holders in self._taken.items()}

    def clear(self) -> None:
        """Forget everything."""
        self._taken.clear()


VAULT = Vault()
