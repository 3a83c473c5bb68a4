"""What a backend is: cachelib's operations, and a lock for the one that computes."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Flask
from flask_caching.backends.base import BaseCache

from buttress.cache.serializer import serializer_of

#: What the key of a lock ends with; no key that a person writes does.
LOCK = "\x00once"


def octets(name: str) -> bytes:
    """Give the bytes of a name; half a character, as JSON may bring one, is as good as any."""
    return name.encode("utf-8", "surrogatepass")


class Backend(BaseCache):
    """Keep items. An operation that fails raises; whoever calls goes on without the cache."""

    #: What an operation fails with that no caller can help.
    failures: ClassVar[tuple[type[Exception], ...]] = (OSError,)

    #: How items are written; Flask-Caching replaces it as CACHE_SERIALIZER says.
    serializer: Any = serializer_of("pickle")

    @classmethod
    def factory(
        cls,
        _app: Flask,
        _config: dict[str, Any],
        args: list[Any],
        kwargs: dict[str, Any],
    ) -> BaseCache:
        """Make it of Flask-Caching's options."""
        return cls(*args, **kwargs)

    def is_refusal(self, error: Exception) -> bool:
        """Tell whether a failure says that the server works and refuses this one operation."""
        return False

    def lock(self, key: str, token: str, seconds: float) -> bool:
        """Try to become the one process that computes what belongs under a key.

        The lock ends with `unlock`, with the process, or after so many seconds.
        """
        return True

    def unlock(self, key: str, token: str) -> None:
        """Give the lock back, if it is still that of the token."""

    def close(self) -> None:
        """Drop every connection; the next operation opens a new one."""
