"""Several caches as one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zlib import crc32

from flask_caching.backends.base import BaseCache

from buttress.cache.backend import octets


class Shards(BaseCache):
    """Keep each item in one of several caches, chosen by its key.

    The choice never changes: while one is away, its items are missing.
    """

    def __init__(self, parts: list[Any]) -> None:
        super().__init__()
        self.parts = parts

    @property
    def serializer(self) -> Any:
        """Say how items are written, in every part."""
        return self.parts[0].serializer

    @serializer.setter
    def serializer(self, serializer: Any) -> None:
        for part in self.parts:
            part.serializer = serializer

    def part_of(self, key: str) -> Any:
        """Choose the cache of a key."""
        return self.parts[crc32(octets(key)) % len(self.parts)]

    def get(self, key: str) -> Any:
        """Give an item; ``None`` where there is none."""
        return self.part_of(key).get(key)

    def set(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool | None:
        """Keep an item."""
        done: bool | None = self.part_of(key).set(key, value, timeout)
        return done

    def add(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool:
        """Keep an item unless there is one, in one step."""
        return bool(self.part_of(key).add(key, value, timeout))

    def delete(self, key: str) -> bool:
        """Delete an item, and tell whether there was one."""
        return bool(self.part_of(key).delete(key))

    def has(self, key: str) -> bool:
        """Tell whether there is an item."""
        return bool(self.part_of(key).has(key))

    def clear(self) -> bool:
        """Empty all of them."""
        cleared = [part.clear() for part in self.parts]
        return all(cleared)

    def lock(self, key: str, token: str, seconds: float) -> bool | None:
        """Take the lock where the item is."""
        got: bool | None = self.part_of(key).lock(key, token, seconds)
        return got

    def unlock(self, key: str, token: str) -> None:
        """Give the lock back where the item is."""
        self.part_of(key).unlock(key, token)
