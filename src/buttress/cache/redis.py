"""A cache in Redis, or in what speaks its protocol."""

from __future__ import annotations

import math
import re
import sys
from datetime import timedelta
from typing import Any, ClassVar

from cachelib import RedisCache as CachelibRedisCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import DataError, MaxConnectionsError, RedisError, ResponseError
from redis.retry import Retry

from buttress.cache.backend import LOCK, Backend

#: Deletes the lock of one token, and nobody else's.
UNLOCK = """
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0
"""
#: Keys that `clear` looks at and deletes in one step.
BATCH = 500


class RedisCache(Backend, CachelibRedisCache):
    """Keep items in Redis, under keys that begin with a prefix."""

    failures: ClassVar[tuple[type[Exception], ...]] = (OSError, RedisError)

    def __init__(
        self,
        url: str,
        prefix: str,
        default_timeout: int = 300,
        ignore_delete_many_errors: bool = False,
        **options: Any,
    ) -> None:
        # Nobody waits twice. Whether a connection is still open is looked at before it is used.
        retry = Retry(NoBackoff(), 0)
        # The older protocol has all that a cache needs, and no messages that nobody asked for.
        defaults = {
            "retry": retry,
            "protocol": 2,
            "max_connections": sys.maxsize,
            "encoding_errors": "surrogatepass",
        }
        self.client = Redis.from_url(url, **{**defaults, **options})
        # Options that it does not know are refused now, not in a request; nothing is opened.
        pool = self.client.connection_pool
        try:
            pool.connection_class(**pool.connection_kwargs)
        except RedisError as error:
            raise ValueError(f"{error}") from error
        CachelibRedisCache.__init__(
            self,
            self.client,
            default_timeout=default_timeout,
            key_prefix=prefix,
            ignore_delete_many_errors=ignore_delete_many_errors,
        )

    def add(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool:
        """Set an item unless there is one, in one step."""
        seconds = self._normalize_timeout(timeout)
        written = self.serializer.dumps(value)
        expires = seconds if seconds > 0 else None
        return bool(self.client.set(self._named(key), written, ex=expires, nx=True))

    def clear(self) -> bool:
        """Delete every key with the prefix, without stopping the server for long."""
        pattern = re.sub(r"([*?\[\]\\])", r"\\\1", self._named("")) + "*"
        names: list[bytes] = []
        for name in self.client.scan_iter(match=pattern, count=BATCH):
            names.append(name)
            if len(names) == BATCH:
                self.client.unlink(*names)
                names.clear()
        if names:
            self.client.unlink(*names)
        return True

    def unlink(self, *keys: str) -> int:
        """Delete items, and let the server free them later."""
        return int(self.client.unlink(*map(self._named, keys))) if keys else 0

    def is_refusal(self, error: Exception) -> bool:
        """Tell whether it is an answer of the server, or the limit of our own pool."""
        return isinstance(error, ResponseError | DataError | MaxConnectionsError)

    def lock(self, key: str, token: str, seconds: float) -> bool:
        """Take the lock by ``SET NX PX``."""
        lasts = math.ceil(seconds * 1000)
        return bool(self.client.set(self._lock_of(key), token, nx=True, px=lasts))

    def unlock(self, key: str, token: str) -> None:
        """Delete the lock, if it is still ours, by a script."""
        self.client.eval(UNLOCK, 1, self._lock_of(key), token)

    def close(self) -> None:
        """Close the connections of the pool."""
        self.client.close()
        self.client.connection_pool.disconnect()

    def _named(self, key: str) -> str:
        return f"{self._get_prefix()}{key}"

    def _lock_of(self, key: str) -> str:
        return self._named(key + LOCK)
