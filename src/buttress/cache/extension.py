"""The extension ``cache``."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buttress.cache.cache import Cache
from buttress.cache.location import CUSTOM, FILE, MEMCACHED, MEMORY, NULL, REDIS, Location
from buttress.cache.serializer import Serializer, serializer_of
from buttress.cache.settings import CacheSettings
from buttress.errors import ConfigError, ExtensionError
from buttress.extension import Extension

if TYPE_CHECKING:
    from buttress.service import Service

#: Where the backends are.
BACKENDS = {
    MEMORY: "buttress.cache.memory.MemoryCache",
    FILE: "buttress.cache.file.FileCache",
    REDIS: "buttress.cache.redis.RedisCache",
    MEMCACHED: "buttress.cache.memcached.MemcachedCache",
    NULL: "flask_caching.backends.NullCache",
}


class CacheExtension(Extension[CacheSettings, Cache]):
    """Keep what is slow to compute: in memory, in files, in Redis or in Memcached."""

    name = "cache"
    settings = CacheSettings

    def build(self, app: Service, settings: CacheSettings) -> Cache:
        """Make the cache that the settings describe.

        Raises `ExtensionError` for a package that is missing and a class that cannot be made, and
        `ConfigError` for a folder that cannot be.
        """
        location = settings.location()
        backend = location.path or BACKENDS[location.kind]
        _import(backend, location)
        config = flask_caching_config(app, settings, location)
        try:
            return Cache(app, {**config, "CACHE_TYPE": backend}, location.kind, location.shown)
        except OSError as error:
            raise ConfigError([f"The cache cannot be at {location.shown}: {error}."]) from error
        except (AttributeError, ImportError, TypeError, ValueError) as error:
            said = f"The cache at {location.shown} cannot be made: {error}"
            raise ExtensionError("cache", said) from error

    def start(self, it: Cache) -> None:
        """Drop the connections that the process may have from before the fork."""
        it.close()

    def check(self, it: Cache) -> Mapping[str, Any]:
        """Set, get and delete an item."""
        return it.check()

    def close(self, it: Cache) -> None:
        """Close the connections."""
        it.close()


def flask_caching_config(
    app: Service, settings: CacheSettings, location: Location
) -> dict[str, Any]:
    """Say in Flask-Caching's words what the settings say."""
    return {
        "CACHE_DEFAULT_TIMEOUT": settings.timeout,
        "CACHE_KEY_PREFIX": _prefix(app, settings),
        "CACHE_THRESHOLD": settings.threshold,
        "CACHE_IGNORE_ERRORS": settings.ignore_errors,
        "CACHE_SOURCE_CHECK": settings.source_check,
        "CACHE_ENABLE_SIGNALS": settings.enable_signals,
        "CACHE_NO_NULL_WARNING": True,
        "CACHE_SERIALIZER": _serializer(settings, location),
        "CACHE_ARGS": settings.args if location.kind == CUSTOM else [],
        "CACHE_OPTIONS": _options(app, settings, location),
        "CACHE_ONCE_TIMEOUT": settings.once_timeout,
        "CACHE_HASH_METHOD": settings.hash_method or sha256,
    }


def _serializer(settings: CacheSettings, location: Location) -> Serializer | None:
    """Give the serializer; a class that is not ours has one of its own, unless told otherwise."""
    ours = location.kind not in (NULL, CUSTOM)
    told = settings.serializer != "pickle" and location.kind != NULL
    return serializer_of(settings.serializer) if ours or told else None


def _options(app: Service, settings: CacheSettings, location: Location) -> dict[str, Any]:
    """Give the keyword arguments of the backend."""
    given = settings.options or {}
    if location.kind == MEMORY:
        return {"threshold": settings.threshold}
    if location.kind == FILE:
        folder = Path(app.instance_path) / location.folder
        return {"folder": folder, "threshold": settings.threshold}
    if location.kind == REDIS:
        return {"prefix": _prefix(app, settings), **_redis(settings, location), **given}
    if location.kind == MEMCACHED:
        return {
            "prefix": _prefix(app, settings),
            "servers": location.servers,
            "connect_timeout": settings.connect_timeout,
            "timeout": settings.socket_timeout,
            **given,
        }
    return given


def _redis(settings: CacheSettings, location: Location) -> dict[str, Any]:
    url = location.url.reveal() if location.url else ""
    password = {} if settings.password is None else {"password": settings.password.reveal()}
    timeouts = {
        "socket_connect_timeout": settings.connect_timeout,
        "socket_timeout": settings.socket_timeout,
    }
    return {"url": url, **password, **timeouts}


def _prefix(app: Service, settings: CacheSettings) -> str:
    return f"{app.name}:" if settings.prefix is None else settings.prefix


def _import(backend: str, location: Location) -> None:
    """Import the file of a backend. Raises `ExtensionError`, which names what to install."""
    try:
        import_module(backend.rpartition(".")[0])
    except ModuleNotFoundError as error:
        if location.kind in (REDIS, MEMCACHED):
            raise ExtensionError(
                "cache",
                f"The cache at {location.shown} needs the package '{error.name}': "
                f"pip install 'buttress[{location.kind}]'.",
            ) from error
        raise ExtensionError(
            "cache", f"There is no module '{error.name}' for CACHE_TYPE={location.path}."
        ) from error
