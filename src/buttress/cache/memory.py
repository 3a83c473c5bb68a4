"""A cache in the memory of one process."""

from __future__ import annotations

import math
import sys
import time
from datetime import timedelta
from typing import ClassVar, cast

from cachelib import SimpleCache

from buttress.cache.backend import Backend


class MemoryCache(Backend, SimpleCache):
    """Keep items in this process; those that expire first go when there are too many."""

    failures: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(
        self,
        threshold: int = 500,
        default_timeout: int = 300,
        ignore_delete_many_errors: bool = False,
    ) -> None:
        SimpleCache.__init__(
            self, threshold or sys.maxsize, default_timeout, ignore_delete_many_errors
        )

    def _normalize_timeout(self, timeout: int | timedelta | None) -> int:
        """Give when an item expires, not rounded; infinity is never, and goes last."""
        seconds = Backend._normalize_timeout(self, timeout)
        expires = time.time() + seconds if seconds else math.inf
        return cast(int, expires)
