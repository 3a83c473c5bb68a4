"""The cache: Flask-Caching over memory, files, Redis or Memcached, with single-flight.

Every backend is a `Backend`: it keeps items, raises when it fails, and has a lock for the one
process that computes. A `Cache` puts it behind a breaker, so that a dead server costs no request.
"""

from __future__ import annotations

from buttress.cache.backend import Backend
from buttress.cache.cache import Cache
from buttress.cache.extension import CacheExtension
from buttress.cache.settings import CacheSettings

__all__ = ["Backend", "Cache", "CacheExtension", "CacheSettings"]
