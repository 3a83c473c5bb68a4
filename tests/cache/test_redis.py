"""The cache in Redis."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from buttress import ExtensionError, Unhealthy
from buttress.cache import Cache
from buttress.testing.contracts.cache import *  # noqa: F403  # every backend does what it says
from buttress.testing.contracts.shared_cache import *  # noqa: F403  # processes share a server
from tests.cache.processes import Redis, compute_in_processes
from tests.servers import server_url


@pytest.fixture
def make_cache(cache_of: Callable[..., Cache]) -> Callable[..., Cache]:
    """Give a function that makes caches in Redis."""

    def make_cache(**settings: Any) -> Cache:
        return cache_of(CACHE_URL=server_url("redis"), **settings)

    return make_cache


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """Give a Redis of the test's own, with a password and a socket, which has started."""
    socket = str(tmp_path / "redis.sock")
    redis = Redis(tmp_path, "--unixsocket", socket, "--requirepass", "lift pass")
    redis.start()
    yield redis
    redis.kill()


def test_applications_do_not_see_each_other(make_cache: Callable[..., Cache]) -> None:
    """The prefix keeps their items apart, and one that clears leaves the other's."""
    prefix = secrets.token_hex(4)
    one, other = (make_cache(CACHE_PREFIX=f"{it}{prefix}") for it in ("[ab]*", "a"))
    other.set("lift", 1)
    one.set("lift", 2)
    one.clear()
    assert (one.get("lift"), other.get("lift")) == (None, 1)
    other.clear()


def test_many_items_are_cleared(make_cache: Callable[..., Cache]) -> None:
    """Clearing goes on until nothing is left."""
    cache = make_cache()
    cache.set_many({str(number): number for number in range(1200)})
    cache.clear()
    assert cache.get_many(*map(str, range(1200))) == [None] * 1200


def test_a_lock_expires(make_cache: Callable[..., Cache]) -> None:
    """The lock of a process that has died is free after its time."""
    cache = make_cache().cache
    assert cache.lock("snow", "dead", 0.3) is True
    assert cache.lock("snow", "ours", 60) is False
    assert until(lambda: bool(cache.lock("snow", "ours", 60)))  # noqa: F405  # of the contract
    cache.unlock("snow", "ours")


def test_four_processes_compute_once(package: Callable[..., Path], tmp_path: Path) -> None:
    """Of a hundred threads in four processes one computes."""
    package({"shop/__init__.py": ""})
    prefix = f"test-{secrets.token_hex(8)}:"
    url = server_url("redis")
    found, computed = compute_in_processes(tmp_path, url, prefix, count=4, threads=25)
    assert (found, computed) == (["{42}"] * 4, 1)


@pytest.mark.parametrize("where", ["unix", "password"])
def test_a_password_may_stand_beside_the_url(
    cache_of: Callable[..., Cache], redis: Redis, tmp_path: Path, where: str
) -> None:
    """It may hold any character; a socket of the file system works as a port does."""
    url = f"unix://{tmp_path}/redis.sock" if where == "unix" else redis.url
    cache = cache_of(CACHE_URL=url, CACHE_PASSWORD="lift pass")
    assert cache.check() == {"backend": "redis", "breaker": "closed"}


def test_a_wrong_password_is_unhealthy_and_not_shown(
    cache_of: Callable[..., Cache], redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests go on without the cache; neither the log nor the heartbeat has the password."""
    cache = cache_of(CACHE_URL=redis.url.replace("//", "//:another-pass@"))
    with pytest.raises(Unhealthy, match="AuthenticationError") as caught:
        cache.check()
    assert cache.once("snow", 5, lambda: "sun") == "sun"
    assert caught.value.details == {"backend": "redis", "breaker": "open"}
    assert "another-pass" not in caplog.text + str(caught.value)


def test_what_the_server_refuses_is_not_kept(
    make_cache: Callable[..., Cache], caplog: pytest.LogCaptureFixture
) -> None:
    """One odd key is a miss, is logged once, and does not open the breaker."""
    cache = make_cache()
    cache.parts[0].inner.client.lpush(f"{cache.cache.key_prefix}odd", 1)
    assert [cache.get("odd"), cache.get("odd")] == [None, None]
    assert cache.check()["breaker"] == "closed"
    (record,) = caplog.records
    assert "refuses an operation: " in record.getMessage()
    cache.clear()


def test_a_full_server_is_unhealthy_and_still_read(
    cache_of: Callable[..., Cache], redis: Redis
) -> None:
    """The heartbeat says that nothing can be set, and takes nobody's items away."""
    cache = cache_of(CACHE_URL=redis.url, CACHE_PASSWORD="lift pass")
    cache.set("lift", 1)
    cache.parts[0].inner.client.config_set("maxmemory", 1)
    with pytest.raises(Unhealthy, match="OutOfMemoryError"):
        cache.check()
    assert (cache.get("lift"), cache.cache.breaker.state) == (1, "closed")


def test_an_option_that_the_client_does_not_know_stops_the_boot(
    make_cache: Callable[..., Cache],
) -> None:
    """It is told at boot, not in a request."""
    with pytest.raises(ExtensionError, match="cannot be made: .*'colour'"):
        make_cache(CACHE_OPTIONS={"colour": "red"})


def test_a_query_that_says_nothing_good_stops_the_boot(cache_of: Callable[..., Cache]) -> None:
    """What stands after the ? of the URL is looked at with the options."""
    with pytest.raises(ExtensionError, match="cannot be made: Invalid SSL"):
        cache_of(CACHE_URL="rediss://h?ssl_cert_reqs=perhaps")


def test_options_are_the_clients(make_cache: Callable[..., Cache]) -> None:
    """The limit of a pool is not the server's failure."""
    cache = make_cache(CACHE_OPTIONS={"max_connections": 1})
    pool = cache.parts[0].inner.client.connection_pool
    connection = pool.get_connection()
    assert cache.set("lift", 1) is False
    pool.release(connection)
    assert cache.set("lift", 1) is True


def test_a_server_that_comes_back_is_used_again(
    cache_of: Callable[..., Cache],
    redis: Redis,
    impatient: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A killed and restarted server costs misses; nobody restarts the service; both is logged."""
    caplog.set_level("INFO", "buttress.cache")
    cache = cache_of(CACHE_URL=redis.url, CACHE_PASSWORD="lift pass")
    at_once(8, lambda: cache.set("lift", 1))  # noqa: F405  # of the contract
    redis.kill()
    assert [cache.once("lift", 5, lambda: 2) for _ in range(20)] == [2] * 20
    redis.start()
    assert until(lambda: bool(cache.set("lift", 3)))  # noqa: F405  # of the contract
    assert at_once(8, lambda: cache.get("lift")) == [3] * 8  # noqa: F405  # of the contract
    words = [record.getMessage().partition(f"{redis.port}/0 ")[2][:13] for record in caplog.records]
    assert words == ["does not work", "works again"]
