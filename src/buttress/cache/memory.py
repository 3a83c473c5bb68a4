"""A cache in the memory of one process."""

from __future__ import annotations

import sys
from typing import ClassVar

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
