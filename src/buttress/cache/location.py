"""Where a cache is: one answer from a URL, or from the words of Flask-Caching."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from cachelib.serializers import BaseSerializer
from msgspec import Struct

from buttress.config.secret import Secret

if TYPE_CHECKING:
    from buttress.cache.settings import CacheSettings

MEMORY, NULL, FILE, REDIS, MEMCACHED = "memory", "null", "file", "redis", "memcached"
#: A class that is named by its path.
CUSTOM = "custom"

SCHEMES = {
    "memory": MEMORY,
    "file": FILE,
    "redis": REDIS,
    "rediss": REDIS,
    "unix": REDIS,
    "memcached": MEMCACHED,
}
#: Flask-Caching's words, without their ending ``Cache``.
TYPES = {
    "simple": MEMORY,
    "null": NULL,
    "filesystem": FILE,
    "redis": REDIS,
    "memcached": MEMCACHED,
}
#: What Flask-Caching has and we do not.
OTHERS = {"redissentinel", "rediscluster", "saslmemcached", "spreadsaslmemcached", "uwsgi"}
FOLDER = "cache"
REDIS_PORT, MEMCACHED_PORT = 6379, 11211

_FLASK_CACHING = re.compile(r"flask_caching\.(?:backends|contrib)\.(?:\w+\.)?", re.ASCII)
_SERVER = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:/?#@\[\]]+))(?::(?P<port>\d+))?"
)


class Location(Struct, frozen=True):
    """Say where a cache is; what is not of its kind stays empty."""

    kind: str
    #: What may be shown of it: without a password.
    shown: str
    url: Secret | None = None
    servers: tuple[tuple[str, int], ...] = ()
    folder: str = ""
    path: str = ""


def located(settings: CacheSettings) -> Location:
    """Find where the cache is; memory where nothing is said.

    Raises `ValueError`, with a sentence that shows no secret, for what is no place, and where
    CACHE_URL and Flask-Caching's keys disagree.
    """
    typed = _typed(settings)
    if settings.url is None:
        return _of_type(settings, typed or MEMORY)
    url = settings.url.reveal()
    found = _of_url(url)
    if typed not in (None, found.kind):
        raise ValueError(
            f"CACHE_TYPE={settings.type} and CACHE_URL ({found.shown}) say different things: "
            "keep one of them."
        )
    for key, others in _said_elsewhere(settings, found, url):
        if others:
            raise ValueError(
                f"{key} and CACHE_URL ({found.shown}) say different things: keep one of them."
            )
    return found


def unknown_serializer(given: Any) -> bool:
    """Tell whether something is no serializer, neither ours by name nor cachelib's."""
    if isinstance(given, type):
        return not issubclass(given, BaseSerializer)
    return not isinstance(given, BaseSerializer) and given not in (None, "pickle", "json")


def server_of(text: str) -> tuple[str, int]:
    """Read ``host:port``, ``host`` or ``[address]:port``. Raises `ValueError`."""
    match = _SERVER.fullmatch(text.strip())
    port = int(match["port"] or MEMCACHED_PORT) if match else 0
    if match is None or not 0 < port < 65536:
        raise ValueError(f"{text!r} is no server: write it as host:port, such as 127.0.0.1:11211.")
    return match["six"] or match["host"], port


def _typed(settings: CacheSettings) -> str | None:
    """Give the kind that CACHE_TYPE names, or ``None`` where it is not set."""
    if settings.type is None:
        return None
    bare = _FLASK_CACHING.sub("", settings.type)
    word = bare.lower().removesuffix("cache")
    if word in TYPES:
        return TYPES[word]
    if "." in bare:
        return CUSTOM
    why = "is not supported" if word in OTHERS else "is none of Flask-Caching's types"
    raise ValueError(
        f"CACHE_TYPE={settings.type} {why}: write simple, redis, memcached, filesystem, null, or "
        "the path of a class of your own."
    )


def _of_type(settings: CacheSettings, kind: str) -> Location:
    if kind == FILE:
        folder = settings.dir or FOLDER
        return Location(FILE, f"file:{folder}", folder=folder)
    if kind == REDIS:
        host = settings.redis_host or "localhost"
        host = f"[{host}]" if ":" in host else host
        port = settings.redis_port or REDIS_PORT
        return _of_url(f"redis://{host}:{port}/{settings.redis_db or 0}")
    if kind == MEMCACHED:
        return _memcached(",".join(settings.memcached_servers) or "127.0.0.1")
    if kind == CUSTOM:
        return Location(CUSTOM, str(settings.type), path=str(settings.type))
    return Location(kind, f"{kind}://")


def _of_url(url: str) -> Location:
    try:
        scheme, _, rest = url.partition("://")
        if (
            SCHEMES.get(scheme.lower()) == MEMCACHED
        ):  # a list of servers is no authority of RFC 3986
            return _memcached_url(rest)
        parts = urlsplit(url)
        kind = SCHEMES.get(parts.scheme)
        if kind is None or ":" not in url:
            raise ValueError
        if parts.fragment or "@" in parts.query:
            raise _Said("CACHE_URL: write a # or ? in a password or a path as %23 or %3F.")
        if kind in (REDIS, FILE):
            return {REDIS: _redis, FILE: _file}[kind](parts, url)
    except ValueError as error:
        # The text of another error may show a part of the URL.
        raise ValueError(str(error) if isinstance(error, _Said) else _WRONG_URL) from None
    return Location(kind, f"{kind}://")


class _Said(ValueError):
    """A sentence that may be shown."""


_WRONG_URL = (
    "CACHE_URL is no URL of a cache: write memory://, redis://host:6379/0, rediss://…, "
    "unix:///path, memcached://host:11211, or file:folder (what is there is not shown)."
)


def _redis(parts: SplitResult, url: str) -> Location:
    if parts.scheme == "unix":
        if not parts.path:
            raise _Said("CACHE_URL names no socket: write unix:///run/redis.sock.")
        return Location(REDIS, f"unix://{unquote(parts.path)}", url=Secret(url))
    database = parts.path.strip("/")
    if database and not database.isdecimal():
        raise _Said("CACHE_URL: the database of a Redis server is a number, as in redis://host/0.")
    host, port = parts.hostname or "localhost", parts.port or REDIS_PORT
    return Location(REDIS, f"{parts.scheme}://{host}:{port}/{database or 0}", url=Secret(url))


def _memcached_url(rest: str) -> Location:
    servers, _, path = rest.partition("/")
    if path.strip("/") or set(rest) & set("@?#"):
        raise _Said("CACHE_URL: write memcached://host:port,host:port and nothing else.")
    return _memcached(servers or "127.0.0.1")


def _memcached(text: str) -> Location:
    try:
        servers = tuple(server_of(one) for one in text.split(","))
    except ValueError as error:
        raise _Said(f"The servers of the cache: {error}") from None
    shown = ",".join(f"{host}:{port}" for host, port in servers)
    return Location(MEMCACHED, f"memcached://{shown}", servers=servers)


def _file(parts: SplitResult, _: str) -> Location:
    if parts.netloc or not parts.path:
        raise _Said(
            "CACHE_URL: write file:///folder for an absolute path, and file:folder for one in the "
            "instance folder."
        )
    folder = unquote(parts.path)
    return Location(FILE, f"file:{folder}", folder=folder)


def _said_elsewhere(settings: CacheSettings, found: Location, url: str) -> list[tuple[str, bool]]:
    """Name Flask-Caching's keys, and whether each contradicts the URL."""
    return [
        ("CACHE_DIR", settings.dir not in (None, found.folder)),
        ("CACHE_MEMCACHED_SERVERS", _other_servers(settings, found)),
        *_redis_elsewhere(settings, found, urlsplit(url if found.kind == REDIS else "")),
    ]


def _other_servers(settings: CacheSettings, found: Location) -> bool:
    named = settings.memcached_servers
    return bool(named) and _memcached(",".join(named)).servers != found.servers


def _redis_elsewhere(
    settings: CacheSettings, found: Location, parts: SplitResult
) -> list[tuple[str, bool]]:
    host, port, database, password = (
        settings.redis_host,
        settings.redis_port,
        settings.redis_db,
        settings.password,
    )
    known = found.kind == REDIS and parts.scheme != "unix"
    there = int(parts.path.strip("/") or 0) if known else None
    inside = Secret(unquote(parts.password)) if parts.password else None
    return [
        ("CACHE_REDIS_HOST", host is not None and (not known or parts.hostname != host.lower())),
        ("CACHE_REDIS_PORT", port is not None and (not known or (parts.port or 6379) != port)),
        ("CACHE_REDIS_DB", database is not None and there != database),
        ("CACHE_PASSWORD", None not in (password, inside) and password != inside),
    ]
