"""The cache in Memcached."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from buttress import ExtensionError, Unhealthy
from buttress.cache import Cache
from buttress.testing.contracts.cache import *  # noqa: F403  # every backend does what it says
from buttress.testing.contracts.shared_cache import *  # noqa: F403  # processes share a server
from tests.cache.processes import compute_in_processes, free_port, own_memcached
from tests.servers import server_url


@pytest.fixture
def make_cache(cache_of: Callable[..., Cache]) -> Callable[..., Cache]:
    """Give a function that makes caches in Memcached."""

    def make_cache(**settings: Any) -> Cache:
        return cache_of(CACHE_URL=server_url("memcached"), **settings)

    return make_cache


def test_clear_deletes_every_item(cache_of: Callable[..., Cache]) -> None:
    """The whole server is empty afterwards; the other tests' server is left alone."""
    with own_memcached() as url:
        cache = cache_of(CACHE_URL=url)
        cache.set_many({"a": 1, "b": 2})
        assert cache.clear() is True
        assert cache.get_many("a", "b") == [None, None]


def test_applications_do_not_see_each_other(make_cache: Callable[..., Cache]) -> None:
    """The prefix keeps their items apart."""
    prefix = secrets.token_hex(4)
    one, other = (make_cache(CACHE_PREFIX=f"{it}{prefix}") for it in "ab")
    one.set("lift", 1)
    assert other.get("lift") is None


def test_a_lock_expires(make_cache: Callable[..., Cache]) -> None:
    """The lock of a process that has died is free after its time."""
    cache = make_cache().cache
    assert cache.lock("snow", "dead", 1) is True
    assert cache.lock("snow", "ours", 60) is False
    assert until(lambda: bool(cache.lock("snow", "ours", 60)))  # noqa: F405  # of the contract
    cache.unlock("snow", "ours")


def test_four_processes_compute_once(package: Callable[..., Path], tmp_path: Path) -> None:
    """Of a hundred threads in four processes one computes."""
    package({"shop/__init__.py": ""})
    prefix = f"test-{secrets.token_hex(8)}:"
    url = server_url("memcached")
    found, computed = compute_in_processes(tmp_path, url, prefix, count=4, threads=25)
    assert (found, computed) == (["{42}"] * 4, 1)


def test_an_item_that_is_too_large_is_not_kept(
    make_cache: Callable[..., Cache], caplog: pytest.LogCaptureFixture
) -> None:
    """The server refuses it; that is logged, and other items are kept as before."""
    cache = make_cache()
    assert cache.set("lift", b"x" * 2_000_000) is False
    assert cache.set("piste", 1) is True
    assert cache.check() == {"backend": "memcached", "breaker": "closed"}
    (record,) = caplog.records
    assert "refuses an operation: " in record.getMessage()


def test_an_option_that_the_client_does_not_know_stops_the_boot(
    make_cache: Callable[..., Cache],
) -> None:
    """It is told at boot, not in a request."""
    with pytest.raises(ExtensionError, match="cannot be made: .*'colour'"):
        make_cache(CACHE_OPTIONS={"colour": "red"})


def test_several_servers_share_the_items(cache_of: Callable[..., Cache]) -> None:
    """Each item is on one of them, and every operation finds it there."""
    with own_memcached() as first, own_memcached() as second:
        cache = cache_of(CACHE_URL=f"{first},{second.partition('//')[2]}")
        items = {f"lift {number}": number for number in range(50)}
        assert cache.set_many(items) == list(items)
        assert cache.get_dict(*items) == items
        held = [sum(part.has(key) for key in items) for part in cache.parts]
        assert (sum(held), min(held) > 5) == (50, True)
        assert cache.once("snow", 5, lambda: None) is cache.once("snow", 5, lambda: 2)
        assert (cache.add("piste", 1), cache.add("piste", 1), cache.delete("piste")) == (
            True,
            False,
            True,
        )
        assert (cache.clear(), cache.get_many(*items)) == (True, [None] * 50)


def test_one_of_several_servers_may_be_down(cache_of: Callable[..., Cache]) -> None:
    """Its items are missing, the others' are there, and the heartbeat tells which it is."""
    dead = f"127.0.0.1:{free_port()}"
    with own_memcached() as url:
        cache = cache_of(CACHE_URL=f"{url},{dead}")
        kept = cache.set_many({f"lift {number}": number for number in range(50)})
        assert 5 < len(kept) < 45
        assert cache.get_many(*kept) == [int(key.split()[1]) for key in kept]
        with pytest.raises(Unhealthy) as caught:
            cache.check()
    breakers = caught.value.details["breakers"]
    assert breakers == {url: "closed", f"memcached://{dead}": "open"}


def test_connections_that_lie_idle_are_dropped_with_one_that_failed(
    cache_of: Callable[..., Cache], impatient: None
) -> None:
    """After a restart no old connection is tried one after the other."""
    with own_memcached() as url:
        cache = cache_of(CACHE_URL=url)
        at_once(8, lambda: cache.set("lift", 1))  # noqa: F405  # of the contract
        connections = cache.parts[0].inner._connections
        connections._idle[-1].sock.close()
        assert cache.get("lift") is None
        assert until(lambda: cache.get("lift") == 1)  # noqa: F405  # of the contract
        assert len(connections._idle) == 1
