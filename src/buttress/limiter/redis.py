"""Counts in Redis, and in memory while it is down."""

from __future__ import annotations

import logging
from typing import Any

from limits.storage import (
    MovingWindowSupport,
    RedisStorage,
    SlidingWindowCounterSupport,
    Storage,
)
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from buttress.breaker import Breaker, LeftAlone
from buttress.limiter.memory import MemoryStorage

logger = logging.getLogger("buttress.limiter")

#: Seconds that connecting, and an answer, may take.
TIMEOUT = 0.5
FAILURES = (OSError, RedisError)


class FailoverStorage(Storage, MovingWindowSupport, SlidingWindowCounterSupport):
    """Count in Redis for all processes together; while it is down, in each by itself."""

    STORAGE_SCHEME = ["buttress+redis"]  # noqa: RUF012 -- so declared by `limits`

    def __init__(
        self,
        uri: str,
        wrap_exceptions: bool = False,
        *,
        url: str,
        shown: str,
        **options: Any,
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        timeouts = {"socket_connect_timeout": TIMEOUT, "socket_timeout": TIMEOUT}
        settled = {**timeouts, "retry": Retry(NoBackoff(), 0), "protocol": 2, **options}
        self._redis = RedisStorage(url, **settled)
        self._pool = self._redis.storage.connection_pool
        _try_options(self._pool)
        self._memory = MemoryStorage()
        what = f"the limiter's server at {shown}"
        self._breaker = Breaker(what, "counting in memory", FAILURES, logger)

    @property
    def is_down(self) -> bool:
        """Tell whether requests are counted in memory."""
        return self._breaker.is_open

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Give the errors of the server."""
        return FAILURES

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count up."""
        return int(self._do("incr", key, expiry, amount))

    def get(self, key: str) -> int:
        """Give a count."""
        return int(self._do("get", key))

    def get_expiry(self, key: str) -> float:
        """Give the time at which the window ends."""
        return float(self._do("get_expiry", key))

    def clear(self, key: str) -> None:
        """Forget a count."""
        self._do("clear", key)

    def reset(self) -> int | None:
        """Forget every count."""
        self._memory.reset()
        number: int | None = self._do("reset")
        return number

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count up in a moving window."""
        return bool(self._do("acquire_entry", key, limit, expiry, amount))

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Give begin and count of a moving window."""
        found: tuple[float, int] = self._do("get_moving_window", key, limit, expiry)
        return found

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count up in a sliding window."""
        return bool(self._do("acquire_sliding_window_entry", key, limit, expiry, amount))

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Give counts and seconds left of a sliding window."""
        found: tuple[int, float, int, float] = self._do("get_sliding_window", key, expiry)
        return found

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget a sliding window."""
        self._do("clear_sliding_window", key, expiry)

    def check(self) -> bool:
        """Ask the server for an answer, however long ago it failed."""
        try:
            self._breaker.probe(self._redis.storage.ping)
        except FAILURES:
            return False
        return True

    def close(self) -> None:
        """Drop the connections."""
        self._pool.disconnect()

    def _do(self, operation: str, *args: Any) -> Any:
        try:
            return self._breaker.call(getattr(self._redis, operation), *args)
        except (LeftAlone, *FAILURES):
            return getattr(self._memory, operation)(*args)


def _try_options(pool: Any) -> None:
    """Make a connection without opening it: unknown options are refused now, not in a request."""
    try:
        pool.connection_class(**pool.connection_kwargs)
    except RedisError as error:
        raise ValueError(f"{error}") from error
