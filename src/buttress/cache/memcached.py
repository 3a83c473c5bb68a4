"""A cache in Memcached, by pymemcache."""

from __future__ import annotations

import hashlib
import math
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

from flask import Flask
from flask_caching.backends.base import BaseCache
from pymemcache import Client
from pymemcache.exceptions import (
    MemcacheError,
    MemcacheUnexpectedCloseError,
    MemcacheUnknownError,
)

from buttress.cache.backend import LOCK, Backend, octets
from buttress.cache.shards import Shards

#: A longer time is read as a date by the server.
MONTH = 30 * 24 * 3600
#: Connections that stay open while nobody uses them.
IDLE = 32
_well_formed = re.compile(r"[\x21-\x7e]{1,240}").fullmatch


class Connections:
    """Lend connections to one server, each to one thread at a time.

    After a failure all that lie idle are dropped: they are as old as the one that failed.
    """

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._idle: deque[Client] = deque()
        self._age, self._pid = 0, os.getpid()

    @contextmanager
    def lend(self) -> Iterator[Client]:
        """Lend one for a block; one that a block has failed with is closed."""
        client, age = self._take(), self._age
        try:
            yield client
        except Exception:
            client.close()
            self.drop()
            raise
        if age == self._age and len(self._idle) < IDLE:
            self._idle.append(client)
        else:
            client.close()

    def drop(self) -> None:
        """Close those that are idle now, and the others once they come back."""
        self._age += 1
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def _take(self) -> Client:
        if self._pid != os.getpid():
            self.drop()
            self._pid = os.getpid()
        try:
            return self._idle.pop()
        except IndexError:
            return self._make()


class MemcachedCache(Backend):
    """Keep items in one Memcached server, under keys that begin with a prefix.

    A key that the server would not take is replaced by its SHA-256. The server forgets the oldest
    items when it is full; `clear` empties all of it, for whomever.
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (OSError, MemcacheError)

    def __init__(
        self,
        server: tuple[str, int],
        prefix: str,
        default_timeout: int = 300,
        ignore_delete_many_errors: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(default_timeout, ignore_delete_many_errors)
        given = {"default_noreply": False, "no_delay": True, **options}
        self._connections = Connections(lambda: Client(server, **given))
        self._prefix = prefix
        #: The address that logs and the heartbeat show.
        self.shown = "memcached://{}:{}".format(*server)
        # Options that it does not know are refused now, not in a request.
        Client(server, **given)

    @classmethod
    def factory(
        cls,
        _app: Flask,
        _config: dict[str, Any],
        _args: list[Any],
        kwargs: dict[str, Any],
    ) -> BaseCache:
        """Make one for each of the ``servers``."""
        parts: list[BaseCache] = [cls(server, **kwargs) for server in kwargs.pop("servers")]
        return parts[0] if len(parts) == 1 else Shards(parts)

    def get(self, key: str) -> Any:
        """Give an item; ``None`` where there is none."""
        with self._connections.lend() as client:
            return self.serializer.loads(client.get(self._named(key)))

    def get_many(self, *keys: str) -> list[Any]:
        """Give several items in one step."""
        names = [self._named(key) for key in keys]
        with self._connections.lend() as client:
            found = client.get_many(names)
        return [self.serializer.loads(found.get(name)) for name in names]

    def set(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool:
        """Keep an item."""
        written, seconds = self.serializer.dumps(value), self._normalize_timeout(timeout)
        with self._connections.lend() as client:
            return bool(client.set(self._named(key), written, seconds))

    def add(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool:
        """Keep an item unless there is one, in one step."""
        written, seconds = self.serializer.dumps(value), self._normalize_timeout(timeout)
        with self._connections.lend() as client:
            return bool(client.add(self._named(key), written, seconds))

    def delete(self, key: str) -> bool:
        """Delete an item, and tell whether there was one."""
        with self._connections.lend() as client:
            return bool(client.delete(self._named(key)))

    def has(self, key: str) -> bool:
        """Tell whether there is an item."""
        with self._connections.lend() as client:
            return client.get(self._named(key)) is not None

    def clear(self) -> bool:
        """Empty the whole server."""
        with self._connections.lend() as client:
            return bool(client.flush_all())

    def is_refusal(self, error: Exception) -> bool:
        """Tell whether it is an answer of the server, such as to an item that is too large."""
        broken = isinstance(error, MemcacheUnexpectedCloseError | MemcacheUnknownError)
        return isinstance(error, MemcacheError) and not broken

    def lock(self, key: str, token: str, seconds: float) -> bool:
        """Take the lock by ``add``; it lasts for whole seconds."""
        with self._connections.lend() as client:
            return bool(client.add(self._lock_of(key), token.encode(), math.ceil(seconds)))

    def unlock(self, key: str, token: str) -> None:
        """Let the lock expire, if it is still ours, by compare-and-swap."""
        name = self._lock_of(key)
        with self._connections.lend() as client:
            found, version = client.gets(name)
            if found == token.encode():
                client.cas(name, b"", version, expire=-1)

    def close(self) -> None:
        self._connections.drop()

    def _normalize_timeout(self, timeout: int | timedelta | None) -> int:
        seconds = super()._normalize_timeout(timeout)
        return int(time.time()) + seconds if seconds > MONTH else seconds

    def _lock_of(self, key: str) -> str:
        return self._named(key + LOCK)

    def _named(self, key: str) -> str:
        name = f"{self._prefix}{key}"
        return name if _well_formed(name) else hashlib.sha256(octets(name)).hexdigest()
