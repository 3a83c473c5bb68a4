"""Settings of the extension ``cache``: ours, and those of Flask-Caching beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import Meta, field

from buttress.cache.location import Location, located, unknown_serializer
from buttress.config import Key, Secret, Section

Seconds = Annotated[float, Meta(gt=0, le=3600)]


class CacheSettings(Section):
    """Say where the cache is, and how long anybody waits for it."""

    url: Annotated[
        Secret | None,
        Meta(
            description="Where the cache is: `memory://` (the default), `redis://`, `rediss://`, "
            "`unix://` (Redis), `memcached://host:port,host:port`, `file:relative` (in the "
            "instance folder), or `file:///absolute`."
        ),
        Key(aliases=("CACHE_REDIS_URL",), min_length=0),
    ] = None
    timeout: Annotated[
        int,
        Meta(
            description="Seconds for which an item is kept, unless told otherwise; 0: for ever.",
            ge=0,
        ),
        Key(aliases=("CACHE_DEFAULT_TIMEOUT",)),
    ] = 300
    prefix: Annotated[
        str | None,
        Meta(
            description="What the keys begin with in Redis and Memcached; by default the name of "
            "the application and a colon."
        ),
        Key(aliases=("CACHE_KEY_PREFIX",)),
    ] = None
    threshold: Annotated[
        int,
        Meta(description="Most items in memory or in files; 0: no limit.", ge=0),
    ] = 500
    connect_timeout: Annotated[
        Seconds, Meta(description="Seconds that connecting to a server may take.")
    ] = 0.5
    socket_timeout: Annotated[
        Seconds, Meta(description="Seconds that a server may take to answer.")
    ] = 0.5
    once_timeout: Annotated[
        Seconds,
        Meta(
            description="Seconds for which `once` waits for another process that computes; its "
            "lock on a server lasts as long. More than the slowest computation takes."
        ),
    ] = 10.0
    serializer: Annotated[
        Any,
        Meta(
            description="How items are written: `pickle`, `json`, or a serializer of cachelib's "
            "(class or instance)."
        ),
    ] = "pickle"

    type: Annotated[
        str | None,
        Meta(
            description="Flask-Caching's word for where the cache is: `SimpleCache`, `RedisCache`, "
            "`MemcachedCache`, `FileSystemCache`, `NullCache`, or the path of a class of your own."
        ),
    ] = None
    dir: Annotated[
        str | None, Meta(description="Flask-Caching's: the folder of `FileSystemCache`.")
    ] = None
    memcached_servers: Annotated[
        tuple[str, ...], Meta(description="Flask-Caching's: the servers of `MemcachedCache`.")
    ] = ()
    redis_host: Annotated[
        str | None, Meta(description="Flask-Caching's: the host of `RedisCache`.")
    ] = None
    redis_port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(description="Flask-Caching's: the port of `RedisCache`."),
    ] = None
    redis_db: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Flask-Caching's: the database of `RedisCache`, a number."),
    ] = None
    password: Annotated[
        Secret | None,
        Meta(description="Password of the Redis server, where the URL has none."),
        Key(aliases=("CACHE_REDIS_PASSWORD",), min_length=0),
    ] = None
    options: Annotated[
        dict[str, Any] | None,
        Meta(
            description="Flask-Caching's: more keyword arguments for redis-py, pymemcache, or the "
            "class of your own."
        ),
    ] = None
    args: Annotated[
        list[Any], Meta(description="Flask-Caching's: positional arguments for that class.")
    ] = field(default_factory=list)
    ignore_errors: Annotated[
        bool, Meta(description="Flask-Caching's: `delete_many` raises for no key.")
    ] = False
    no_null_warning: Annotated[
        bool, Meta(description="Flask-Caching's; a null cache that was asked for never warns.")
    ] = False
    source_check: Annotated[
        bool, Meta(description="Flask-Caching's: put the source of a function into its keys.")
    ] = False
    enable_signals: Annotated[
        bool, Meta(description="Flask-Caching's: send signals for hits and misses.")
    ] = False
    hash_method: Annotated[
        Any, Meta(description="Flask-Caching's: makes keys of arguments; by default SHA-256.")
    ] = None

    def location(self) -> Location:
        """Tell where the cache is. Raises `ValueError` where that is unclear."""
        return located(self)

    def problems(self) -> Iterable[str]:
        """Name what says two things of where the cache is, or nothing that there is."""
        try:
            self.location()
        except ValueError as error:
            yield str(error)
        if unknown_serializer(self.serializer):
            yield "CACHE_SERIALIZER: write 'pickle', 'json', or a serializer of cachelib's."
        if self.hash_method is not None and not callable(self.hash_method):
            yield f"CACHE_HASH_METHOD={self.hash_method!r}: give a function such as hashlib.sha256."
