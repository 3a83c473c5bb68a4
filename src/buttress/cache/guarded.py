"""A backend whose failures nobody sees: each is a miss, or nothing is done."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask_caching.backends.base import BaseCache

from buttress.breaker import Breaker, LeftAlone
from buttress.errors import Unhealthy

logger = logging.getLogger("buttress.cache")

#: Seconds between two records of what a server refuses.
QUIET = 60.0

Timeout = int | timedelta | None


class Guarded(BaseCache):
    """Do as another backend does, through a breaker; attributes of its own are there too."""

    def __init__(self, inner: BaseCache, shown: str) -> None:
        super().__init__(inner.default_timeout, inner.ignore_delete_many_errors)
        self.inner = inner
        self.shown = shown
        # Nothing is known of a backend that is not ours.
        self._failures = getattr(inner, "failures", (Exception,))
        self._is_refusal = getattr(inner, "is_refusal", lambda _: False)
        what = f"the cache at {shown}"
        self.breaker = Breaker(what, "going on without", self._failures, logger)
        self._lock = threading.Lock()
        self._quiet_until = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def get(self, key: str) -> Any:
        """Give an item; ``None`` where there is none, and from a server that is down."""
        return self._try(None, self.inner.get, key)

    def get_many(self, *keys: str) -> list[Any]:
        """Give several items."""
        if not keys:
            return []
        missing: list[Any] = [None] * len(keys)
        found: list[Any] = self._try(missing, self.inner.get_many, *keys)
        return found

    def get_dict(self, *keys: str) -> dict[str, Any]:
        """Give several items by their keys."""
        return dict(zip(keys, self.get_many(*keys), strict=True))

    def has(self, key: str) -> bool:
        """Tell whether there is an item."""
        return bool(self._try(False, self.inner.has, key))

    def set(self, key: str, value: Any, timeout: Timeout = None) -> bool:
        """Keep an item, and tell whether that was done."""
        if _is_past(timeout):
            self.delete(key)
            return False
        return bool(self._try(False, self.inner.set, key, value, timeout))

    def set_many(self, mapping: dict[str, Any], timeout: Timeout = None) -> list[Any]:
        """Keep several items, and give the keys of those that are kept."""
        if _is_past(timeout):
            self.delete_many(*mapping)
            return []
        kept: list[Any] = self._try([], self.inner.set_many, mapping, timeout)
        return kept

    def add(self, key: str, value: Any, timeout: Timeout = None) -> bool:
        """Keep an item unless there is one, and tell whether that was done."""
        if _is_past(timeout):
            return False
        return bool(self._try(False, self.inner.add, key, value, timeout))

    def delete(self, key: str) -> bool:
        """Delete an item, and tell whether there was one."""
        return bool(self._try(False, self.inner.delete, key))

    def delete_many(self, *keys: str) -> list[Any]:
        """Delete several items, and give the keys of those that are gone."""
        gone: list[Any] = self._try([], self.inner.delete_many, *keys)
        return gone

    def clear(self) -> bool:
        """Delete every item."""
        return bool(self._try(False, self.inner.clear))

    def inc(self, key: str, delta: int = 1) -> int | None:
        """Count an item up."""
        count: int | None = self._try(None, self.inner.inc, key, delta)
        return count

    def dec(self, key: str, delta: int = 1) -> int | None:
        """Count an item down."""
        count: int | None = self._try(None, self.inner.dec, key, delta)
        return count

    def unlink(self, *keys: str) -> Any:
        """Delete several items; Redis frees them later."""
        unlink = getattr(self.inner, "unlink", None)
        return self._try(None, unlink, *keys) if unlink else self.delete_many(*keys)

    def lock(self, key: str, token: str, seconds: float) -> bool | None:
        """Try to become the one that computes; ``None`` where nobody can tell."""
        lock = getattr(self.inner, "lock", None)
        got: bool | None = self._try(None, lock, key, token, seconds) if lock else None
        return got

    def unlock(self, key: str, token: str) -> None:
        """Give the lock back."""
        self._try(None, self.inner.unlock, key, token)  # type: ignore[attr-defined]  # it has locked

    def check(self) -> None:
        """Set, get and delete an item, whatever the breaker says. Raises `Unhealthy`."""
        try:
            right, error = self.breaker.probe(self._ask, self._goes_round)
        except Exception as failure:  # noqa: BLE001  # a backend that is not ours may raise any
            right, error = False, failure
        if error is not None:
            raise Unhealthy(f"The cache does not work: {type(error).__name__}.") from error
        if not right:
            raise Unhealthy("The cache does not give and delete what was set.")

    def close(self) -> None:
        """Drop the connections."""
        close = getattr(self.inner, "close", None)
        if close is not None:
            close()

    def _try(self, otherwise: Any, operation: Callable[..., Any], *args: Any) -> Any:
        try:
            found, refusal = self.breaker.call(self._ask, operation, *args)
        except (LeftAlone, *self._failures):
            return otherwise
        if refusal is None:
            return found
        self._tell(refusal)
        return otherwise

    def _ask(self, operation: Callable[..., Any], *args: Any) -> tuple[Any, Exception | None]:
        """Give what an operation gives, or else what the server refuses: that is an answer too."""
        try:
            return operation(*args), None
        except self._failures as error:
            if not self._is_refusal(error):
                raise
            return None, error

    def _goes_round(self) -> bool:
        key, value = f"heartbeat:{secrets.token_hex(8)}", secrets.token_hex(8)
        self.inner.set(key, value, 60)
        found = self.inner.get(key)
        return bool(found == value and self.inner.delete(key) and self.inner.get(key) is None)

    def _tell(self, refusal: Exception) -> None:
        """Log what the server refuses, once a minute: it may be every operation."""
        with self._lock:
            now = time.monotonic()
            tells = now >= self._quiet_until
            if tells:
                self._quiet_until = now + QUIET
        if tells:
            said = (self.shown, type(refusal).__name__, refusal)
            logger.warning("the cache at %s refuses an operation: %s: %s", *said)


def _is_past(timeout: Timeout) -> bool:
    """Tell whether an item would have expired already; the backends read that differently."""
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    return seconds is not None and seconds < 0
