"""The extension ``cache``: what it builds of the settings, and its life."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flask_caching
import pytest

from buttress import ExtensionError
from buttress.cache import Cache
from buttress.testing.contracts.cache import Snow
from tests.cache.processes import free_port
from tests.servers import server_url
from tests.services import Make

OWN = """
from flask_caching.backends.base import BaseCache

class Own(BaseCache):
    def __init__(self, word, default_timeout, ignore_delete_many_errors, fails=False):
        super().__init__(default_timeout)
        self.word, self.fails = word, fails

    @classmethod
    def factory(cls, app, config, args, kwargs):
        return cls(*args, **kwargs)

    def get(self, key):
        if self.fails:
            raise LookupError("lost")
        return self.word
"""


def descriptors() -> int:
    """Count what this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def test_it_is_flask_cachings_object(make: Make) -> None:
    """Its users find everything where they know it."""
    app = make(extensions=["cache"])
    assert isinstance(app.cache, flask_caching.Cache)
    assert app.extensions["cache"][app.cache] is app.cache.cache
    app.cache.set("lift", 1)
    assert app.cache.get("lift") == 1


def test_nothing_is_opened_at_boot(make: Make) -> None:
    """A server that is not there stops neither boot nor start."""
    app = make(extensions=["cache"], CACHE_URL=f"redis://127.0.0.1:{free_port()}")
    app.lifecycle.start()
    assert app.cache.parts[0].breaker.is_open is False


def test_a_cache_mapping_is_honoured(make: Make) -> None:
    """The documented mapping of backend_common, with more of Flask-Caching's words."""
    words = {"CACHE_TYPE": "simple", "CACHE_DEFAULT_TIMEOUT": 7, "CACHE_THRESHOLD": 3}
    app = make(extensions=["cache"], CACHE={**words, "CACHE_SOURCE_CHECK": True})
    backend = app.cache.parts[0].inner
    assert (app.cache.kind, backend.default_timeout) == ("memory", 7)
    assert (app.settings.cache.threshold, app.cache.source_check) == (3, True)


def test_a_null_cache_keeps_nothing(make: Make) -> None:
    """It was asked for: there is no warning, and the heartbeat is fine."""
    cache = make(extensions=["cache"], CACHE={"CACHE_TYPE": "null"}).cache
    snow = Snow()
    cache.set("lift", 1)
    assert cache.get("lift") is None
    assert [cache.once("snow", 5, snow) for _ in range(2)] == [1, 2]
    assert cache.check() == {"backend": "null", "breaker": "closed"}


def test_a_class_of_ones_own(make: Make, package: Callable[[Mapping[str, str]], Path]) -> None:
    """It is made of CACHE_ARGS and CACHE_OPTIONS, and guarded as the others are."""
    package({"ownshop.py": OWN})
    words = {"CACHE_TYPE": "ownshop.Own", "CACHE_ARGS": ["sun"]}
    assert make(extensions=["cache"], CACHE=words).cache.get("lift") == "sun"
    failing = make(extensions=["cache"], CACHE={**words, "CACHE_OPTIONS": {"fails": True}}).cache
    assert (failing.get("lift"), failing.cache.breaker.state) == (None, "open")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nosuch.Own", "There is no module 'nosuch' for CACHE_TYPE=nosuch.Own"),
        ("os.Own", "The cache at os.Own cannot be made: "),
        ("os.path.join", "The cache at os.path.join cannot be made: "),
    ],
)
def test_a_class_that_cannot_be_made_stops_the_boot(make: Make, path: str, sentence: str) -> None:
    """The message names it."""
    with pytest.raises(ExtensionError) as caught:
        make(extensions=["cache"], CACHE_TYPE=path)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(("scheme", "missing"), [("redis", "redis"), ("memcached", "pymemcache")])
def test_a_missing_package_names_the_extra(
    make: Make, monkeypatch: pytest.MonkeyPatch, scheme: str, missing: str
) -> None:
    """The client of a server is needed only by those who have one."""
    monkeypatch.delitem(sys.modules, f"buttress.cache.{scheme}", raising=False)

    def find(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr("buttress.cache.extension.import_module", find)
    with pytest.raises(ExtensionError) as caught:
        make(extensions=["cache"], CACHE_URL=f"{scheme}://h")
    assert str(caught.value) == (
        f"The cache at {scheme}://h:{6379 if scheme == 'redis' else 11211}"
        f"{'/0' if scheme == 'redis' else ''} needs the package '{missing}': "
        f"pip install 'buttress[{scheme}]'."
    )


def test_two_applications_do_not_mix(make: Make) -> None:
    """Each has a cache of its own, and may use it inside the other's context."""
    one, other = make(extensions=["cache"]), make("hut", extensions=["cache"])
    one.cache.set("lift", 1)
    with other.app_context():
        assert (one.cache.get("lift"), other.cache.get("lift")) == (1, None)
        assert (one.cache.set("lift", 2), one.cache.has("lift"), other.cache.has("lift")) == (
            True,
            True,
            False,
        )


def test_the_prefix_is_the_name_of_the_application(make: Make) -> None:
    """Services that share a server do not share items."""
    one, other = (
        make(name, extensions=["cache"], CACHE_URL=server_url("redis")) for name in ("shop", "hut")
    )
    one.cache.set("lift", 1)
    assert other.cache.get("lift") is None
    assert one.cache.cache.key_prefix == "shop:"
    one.cache.clear()


def test_templates_have_the_tag(make: Make) -> None:
    """Flask-Caching's ``cache`` tag works in templates."""
    app = make(extensions=["cache"])
    template = app.jinja_env.from_string("{% cache 5, 'lift' %}{{ word }}{% endcache %}")
    with app.app_context():
        assert [template.render(word=word) for word in ("sun", "snow")] == ["sun", "sun"]


@pytest.mark.parametrize(
    ("key", "ttl", "make_it", "error"),
    [
        (7, 5, int, TypeError("once(key, …): the key is 7, but must be text.")),
        ("", 5, int, ValueError("once(key, …): the key is empty.")),
        ("a", "5", int, TypeError("once('a', ttl, …): ttl is '5', but must be seconds, a number.")),
        ("a", True, int, TypeError("once('a', ttl, …): ttl is True, but must be seconds, a num")),
        ("a", 0, int, ValueError("once('a', ttl, …): ttl is 0, but must be more than 0.")),
        ("a", float("nan"), int, ValueError("once('a', ttl, …): ttl is nan, but must be more")),
        ("a", 5, 7, TypeError("once('a', …, make): 7 cannot be called; give a function.")),
    ],
)
def test_once_says_what_it_wants(
    make: Make, key: Any, ttl: Any, make_it: Any, error: Exception
) -> None:
    """A wrong argument is told at once, also where the item is there."""
    cache = make(extensions=["cache"]).cache
    with pytest.raises(type(error)) as caught:
        cache.once(key, ttl, make_it)
    assert str(caught.value).startswith(str(error))


def test_once_waits_no_longer_than_the_request(make: Make) -> None:
    """The deadline of a request bounds how long it waits for another's computation."""
    url = server_url("redis")
    app = make(extensions=["web", "cache"], CACHE_URL=url, REQUEST_DEADLINE=0.2)
    app.add_url_rule("/", view_func=lambda: app.cache.once("deadline", 5, lambda: "sun"))
    assert app.cache.cache.lock("deadline", "dead", 5)
    began = time.monotonic()
    assert app.test_client().get("/").text == "sun"
    assert time.monotonic() - began < 2
    app.cache.clear()


@pytest.mark.parametrize("name", ["redis", "memcached"])
def test_a_fork_has_connections_of_its_own(cache_of: Callable[..., Cache], name: str) -> None:
    """A worker does not talk over a connection that its supervisor has opened."""
    cache = cache_of(CACHE_URL=server_url(name))
    cache.set("lift", 0)
    pid = os.fork()
    if pid == 0:
        right = all(cache.set("lift", [1]) and cache.get("lift") == [1] for _ in range(100))
        os._exit(0 if right and cache.cache.breaker.state == "closed" else 1)
    mine = [cache.set("piste", "x" * 9) and cache.get("piste") for _ in range(100)]
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert mine == ["x" * 9] * 100


def test_closing_closes_the_connections(cache_of: Callable[..., Cache]) -> None:
    """Nothing is open afterwards; who uses the cache still opens a new connection."""
    for name in ("redis", "memcached"):
        cache = cache_of(CACHE_URL=server_url(name))
        before = descriptors()
        cache.set("lift", 1)
        assert descriptors() == before + 1
        cache.close()
        assert descriptors() == before
        assert cache.get("lift") == 1


def test_backends_are_imported_when_they_are_needed() -> None:
    """The extension itself imports no client of a server."""
    extension = importlib.import_module("buttress.cache.extension")
    assert {"redis", "pymemcache"} & set(vars(extension)) == set()
