"""Tokens in this process alone."""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec.structs import replace

from buttress.auth.tokens import Token


class MemoryTokens:
    """Keep tokens in a dictionary."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()

    def add(self, token: Token) -> None:
        """Keep a new token."""
        with self._lock:
            self._tokens[token.id] = token

    def get(self, token_id: str) -> Token | None:
        """Find a token by its id."""
        return self._tokens.get(token_id)

    def of(self, owner_id: str, kind: str) -> list[Token]:
        """List the tokens of a user."""
        with self._lock:
            found = [
                it for it in self._tokens.values() if (it.owner_id, it.kind) == (owner_id, kind)
            ]
        return sorted(found, key=lambda it: (-it.created, it.id))

    def remove(self, token_id: str, owner_id: str | None = None) -> bool:
        """Remove a token."""
        return self._removed(lambda it: it.id == token_id and owner_id in (None, it.owner_id)) > 0

    def remove_all(self, owner_id: str, kind: str | None = None) -> int:
        """Remove the tokens of a user."""
        return self._removed(lambda it: it.owner_id == owner_id and kind in (None, it.kind))

    def touch(self, token_id: str, now: float) -> None:
        """Note that it was used."""
        with self._lock:
            if token_id in self._tokens:
                self._tokens[token_id] = replace(self._tokens[token_id], used=now)

    def forget(self, now: float) -> int:
        """Remove those that have expired."""
        return self._removed(lambda it: it.expires <= now)

    def _removed(self, chosen: Callable[[Token], bool]) -> int:
        with self._lock:
            gone = [token_id for token_id, token in self._tokens.items() if chosen(token)]
            for token_id in gone:
                del self._tokens[token_id]
        return len(gone)
