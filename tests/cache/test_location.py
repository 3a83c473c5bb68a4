"""Where the cache is: by its URL, and by Flask-Caching's words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cachelib.serializers import JSONSerializer

from buttress import ConfigError
from buttress.cache import CacheSettings
from buttress.config import SectionSpec, load

REDIS_DOCS = {
    "CACHE_TYPE": "redis",
    "CACHE_KEY_PREFIX": "fcache",
    "CACHE_REDIS_HOST": "localhost",
    "CACHE_REDIS_PORT": "6379",
    "CACHE_REDIS_URL": "redis://localhost:6379",
}
GOOD: dict[str, tuple[dict[str, Any], str, str]] = {
    "nothing": ({}, "memory", "memory://"),
    "memory": ({"url": "memory://"}, "memory", "memory://"),
    "redis": ({"url": "redis://h/2"}, "redis", "redis://h:6379/2"),
    "redis with TLS": ({"url": "rediss://u:p@h:1"}, "redis", "rediss://h:1/0"),
    "a socket": ({"url": "unix:///run/r.sock?db=1"}, "redis", "unix:///run/r.sock"),
    "memcached": ({"url": "memcached://a,[::1]:5"}, "memcached", "memcached://a:11211,::1:5"),
    "files": ({"url": "file:items"}, "file", "file:items"),
    "files elsewhere": ({"url": "file:///a/b%20c"}, "file", "file:/a/b c"),
    "the documented mapping": ({"CACHE_TYPE": "simple"}, "memory", "memory://"),
    "SimpleCache": ({"CACHE_TYPE": "SimpleCache"}, "memory", "memory://"),
    "its path": ({"CACHE_TYPE": "flask_caching.backends.SimpleCache"}, "memory", "memory://"),
    "its file": ({"CACHE_TYPE": "flask_caching.backends.simplecache.SimpleCache"},
                 "memory", "memory://"),
    "null": ({"CACHE_TYPE": "NullCache"}, "null", "null://"),
    "filesystem": ({"CACHE_TYPE": "filesystem", "CACHE_DIR": "/a"}, "file", "file:/a"),
    "filesystem alone": ({"CACHE_TYPE": "FileSystemCache"}, "file", "file:cache"),
    "RedisCache": ({"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": "h", "CACHE_REDIS_DB": "3"},
                   "redis", "redis://h:6379/3"),
    "RedisCache alone": ({"CACHE_TYPE": "RedisCache"}, "redis", "redis://localhost:6379/0"),
    "what tutorials have": (REDIS_DOCS, "redis", "redis://localhost:6379/0"),
    "MemcachedCache": ({"CACHE_TYPE": "MemcachedCache", "CACHE_MEMCACHED_SERVERS": ["a:1", "b"]},
                       "memcached", "memcached://a:1,b:11211"),
    "a class": ({"CACHE_TYPE": "shop.Own"}, "custom", "shop.Own"),
    "a type for another place": ({"CACHE_TYPE": "simple", "CACHE_REDIS_HOST": "h"},
                                 "memory", "memory://"),
}  # fmt: skip
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "another scheme": ({"url": "http://pass@h"}, "CACHE_URL is no URL of a cache: write memory://"),
    "no URL": ({"url": "redis"}, "CACHE_URL is no URL of a cache"),
    "an empty one": ({"url": ""}, "CACHE_URL is no URL of a cache"),
    "a port that is none": ({"url": "redis://h:pass"}, "CACHE_URL is no URL of a cache"),
    "a database that is none": ({"url": "redis://h/pass"}, "the database of a Redis server"),
    "a socket without path": ({"url": "unix://"}, "CACHE_URL names no socket"),
    "a relative path with slashes": ({"url": "file://items"}, "write file:///folder"),
    "no folder": ({"url": "file:"}, "write file:///folder"),
    "a # in a password": ({"url": "redis://:1234#pass@h"}, "write a # or ? in a password"),
    "a ? in a password": ({"url": "redis://:1234?pass@h"}, "write a # or ? in a password"),
    "a server that is none": ({"url": "memcached://a:1,b:x"}, "'b:x' is no server"),
    "a user of memcached": ({"url": "memcached://u:pass@h"}, "write memcached://host:port"),
    "no such type": ({"CACHE_TYPE": "redish"}, "CACHE_TYPE=redish is none of Flask-Caching's"),
    "a type we lack": ({"CACHE_TYPE": "uwsgi"}, "CACHE_TYPE=uwsgi is not supported"),
    "type and URL": ({"url": "redis://h", "CACHE_TYPE": "simple"}, "CACHE_TYPE=simple and CACHE_U"),
    "host and URL": ({"url": "redis://h", "redis_host": "g"}, "CACHE_REDIS_HOST and CACHE_URL"),
    "port and URL": ({"url": "redis://h", "redis_port": 1}, "CACHE_REDIS_PORT and CACHE_URL"),
    "database and URL": ({"url": "redis://h/1", "redis_db": 2}, "CACHE_REDIS_DB and CACHE_URL"),
    "two passwords": ({"url": "redis://:p4ss@h", "password": "sunny"},
                      "CACHE_PASSWORD and CACHE_URL"),
    "folder and URL": ({"url": "file:a", "dir": "b"}, "CACHE_DIR and CACHE_URL (file:a)"),
    "servers and URL": ({"url": "memcached://a", "memcached_servers": ["b"]},
                        "CACHE_MEMCACHED_SERVERS and CACHE_URL"),
    "two URLs": ({"url": "redis://h", "CACHE_REDIS_URL": "redis://g"}, "keep one of them"),
    "two timeouts": ({"timeout": 1, "CACHE_DEFAULT_TIMEOUT": 2}, "keep one of them"),
    "a misspelt word": ({"CACHE_TIPE": "simple"}, "did you mean CACHE_TYPE?"),
    "no serializer": ({"serializer": "yaml"}, "CACHE_SERIALIZER: write 'pickle', 'json'"),
    "no hash": ({"hash_method": "md5"}, "CACHE_HASH_METHOD='md5': give a function"),
    "a negative timeout": ({"timeout": -1}, "CACHE_TIMEOUT is -1, but must be"),
}  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., CacheSettings]:
    """Give a function that reads the settings of the cache from a mapping of keys."""

    def settings(**given: Any) -> CacheSettings:
        return load(
            package="shop",
            prefix="SHOP",
            root_path=tmp_path,
            sections=[SectionSpec("cache", CacheSettings)],
            arguments={"MODE": "testing", **given},
            environ={},
        ).settings.cache

    return settings


@pytest.mark.parametrize("name", GOOD)
def test_the_place_is_found(settings: Callable[..., CacheSettings], name: str) -> None:
    """A URL, or Flask-Caching's words, say where; what is shown has no password."""
    given, kind, shown = GOOD[name]
    location = settings(CACHE=given).location()
    assert (location.kind, location.shown) == (kind, shown)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_place_is_refused(settings: Callable[..., CacheSettings], name: str) -> None:
    """One sentence says what is wrong, and shows nothing of a secret."""
    given, sentence = BAD[name]
    with pytest.raises(ConfigError) as caught:
        settings(CACHE=given)
    (problem,) = caught.value.problems
    assert sentence in problem
    assert "pass@" not in problem
    assert "p4ss" not in problem


def test_flat_keys_say_the_same(settings: Callable[..., CacheSettings]) -> None:
    """Flask-Caching's keys may stand beside all others, as its users write them."""
    found = settings(CACHE_TYPE="redis", CACHE_REDIS_HOST="h", CACHE_DEFAULT_TIMEOUT="7")
    assert (found.location().shown, found.timeout) == ("redis://h:6379/0", 7)


@pytest.mark.parametrize(
    "serializer", ["pickle", "json", JSONSerializer, JSONSerializer(), None], ids=range(5)
)
def test_serializers(settings: Callable[..., CacheSettings], serializer: Any) -> None:
    """A serializer has a name, or is a class or an instance of cachelib's."""
    assert settings(CACHE_SERIALIZER=serializer).serializer == serializer
