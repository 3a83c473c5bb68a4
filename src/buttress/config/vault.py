"""The vault: secrets that were taken out of the process environment."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping


class Vault:
    """Keep secrets that were read from the environment and removed from it.

    Some servers merge the whole process environment into every request. The vault lets a
    second application of the process, or a child that is started later, have them all the same.
    """

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def take(self, name: str, environ: MutableMapping[str, str]) -> None:
        """Move one variable out of an environment; one that is not set there is left alone."""
        if name in environ:
            self._taken[name] = environ.pop(name)

    def over(self, environ: MutableMapping[str, str]) -> MutableMapping[str, str]:
        """View an environment as it was before variables were taken; what it has now wins."""
        return ChainMap(environ, self._taken)

    def environ(self) -> dict[str, str]:
        """Give the variables to add to the environment of a child process."""
        return dict(self._taken)

    def clear(self) -> None:
        """Forget everything."""
        self._taken.clear()


VAULT = Vault()
