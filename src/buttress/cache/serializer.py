"""How items become bytes and values again."""

from __future__ import annotations

import json
import logging
from typing import Any

from cachelib.serializers import BaseRedisSerializer, BaseSerializer

logger = logging.getLogger("buttress.cache")


class Serializer(BaseSerializer):
    """Write and read items by another serializer, strictly.

    What cannot be written is an error of whoever caches it. What cannot be read, such as an object
    of a class that a new version has moved, is a miss.
    """

    def __init__(self, inner: BaseSerializer) -> None:
        self._inner = inner

    def dumps(self, value: Any, *_: Any) -> bytes:
        """Write a value. Raises `TypeError` for one that cannot be written."""
        try:
            written = self._inner.dumps(value)
        except Exception as error:
            raise TypeError(f"A {type(value).__name__} cannot be cached: {error}") from error
        if written is None:
            raise TypeError(f"A {type(value).__name__} cannot be cached; the log says why.")
        return written

    def loads(self, bvalue: bytes | None) -> Any:
        """Read a value; ``None`` where there is none, or none that can be read."""
        if bvalue is None:
            return None
        try:
            return self._inner.loads(bvalue)
        except Exception as error:  # noqa: BLE001  # whatever the old bytes do, they are a miss
            logger.warning("a cached item cannot be read and counts as missing: %s", error)
            return None


class Json(BaseSerializer):
    """Write JSON, which runs no code when it is read."""

    def dumps(self, value: Any, *_: Any) -> bytes:
        """Write a value as JSON."""
        return json.dumps(value).encode()

    def loads(self, bvalue: bytes) -> Any:
        """Read JSON."""
        return json.loads(bvalue)


def serializer_of(given: Any) -> Serializer:
    """Make the serializer that the setting asks for: a name, or a class or instance of cachelib's.

    Pickle is written as cachelib does for Redis: whole numbers as digits, so that a server can
    count with them.
    """
    if given in (None, "pickle"):
        return Serializer(BaseRedisSerializer())
    if given == "json":
        return Serializer(Json())
    return Serializer(given() if isinstance(given, type) else given)
