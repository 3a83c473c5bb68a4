"""A backend whose failures nobody sees: each is a miss, or nothing is done."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask_caching.backends.base import BaseCache

from buttress.cache.breaker import Breaker
from buttress.errors import Unhealthy

Timeout = int | timedelta | None


class Guarded(BaseCache):
    """Do as another backend does, through a breaker; attributes of its own are there too."""

    def __init__(self, inner: BaseCache, breaker: Breaker) -> None:
        super().__init__(inner.default_timeout, inner.ignore_delete_many_errors)
        self.inner = inner
        self.breaker = breaker
        # Nothing is known of a backend that is not ours.
        self._failures = getattr(inner, "failures", (Exception,))
        self._is_refusal = getattr(inner, "is_refusal", lambda _: False)

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
        key, value = f"heartbeat:{secrets.token_hex(8)}", secrets.token_hex(8)
        try:
            self.inner.set(key, value, 60)
            found = self.inner.get(key)
            deleted = self.inner.delete(key) and self.inner.get(key) is None
        except Exception as error:
            if not self._is_refusal(error):
                self.breaker.failed(error)
            raise Unhealthy(f"The cache does not work: {type(error).__name__}.") from error
        if found != value or not deleted:
            raise Unhealthy("The cache does not give and delete what was set.")
        self.breaker.succeeded()

    def close(self) -> None:
        """Drop the connections."""
        close = getattr(self.inner, "close", None)
        if close is not None:
            close()

    def _try(self, otherwise: Any, operation: Callable[..., Any], *args: Any) -> Any:
        tries = self.breaker.is_open
        if tries and not self.breaker.may_try():
            return otherwise
        try:
            found = operation(*args)
        except self._failures as error:
            if not self._is_refusal(error):
                self.breaker.failed(error)
                return otherwise
            self.breaker.refused(error)
            found = otherwise
        # What began before the incident says nothing of its end.
        if tries:
            self.breaker.succeeded()
        return found


def _is_past(timeout: Timeout) -> bool:
    """Tell whether an item would have expired already; the backends read that differently."""
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    return seconds is not None and seconds < 0
