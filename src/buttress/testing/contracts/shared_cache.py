"""What a backend of the cache does that processes share; see `buttress.testing.contracts.cache`."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from buttress.testing.contracts.cache import MakeCache, Snow, at_once


def test_another_process_sees_the_item(make_cache: MakeCache) -> None:
    """What one sets, the other gets."""
    one, other = make_cache(), make_cache()
    one.set("lift", {"open": True})
    assert other.get("lift") == {"open": True}


def test_another_process_waits_for_the_one_that_computes(make_cache: MakeCache) -> None:
    """While one computes, the other waits, and has the same result."""
    one, other = make_cache(), make_cache()
    snow = Snow(0.3)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(one.once, "snow", 60, snow)
        snow.falling.wait(5)
        assert (other.once("snow", 60, snow), first.result()) == (1, 1)
    assert snow.fell == 1


def test_another_process_tries_after_an_error(make_cache: MakeCache) -> None:
    """The error stays where it was; the other does not wait longer than for that."""
    one, other = make_cache(), make_cache()
    snow = Snow(0.3, failing=True)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(one.once, "snow", 60, snow)
        snow.falling.wait(5)
        assert other.once("snow", 60, lambda: "sun") == "sun"
        assert str(first.exception()) == "no snow, 1"


def test_nobody_waits_longer_than_the_timeout(make_cache: MakeCache) -> None:
    """Where the one that computes has died or hangs, the others compute themselves in the end."""
    one, other = make_cache(), make_cache(CACHE_ONCE_TIMEOUT=0.3)
    assert one.cache.lock("snow", "dead", 60) is True
    began = time.monotonic()
    assert other.once("snow", 60, lambda: "sun") == "sun"
    assert 0.25 < time.monotonic() - began < 2
    one.cache.unlock("snow", "dead")


def test_a_lock_belongs_to_its_token(make_cache: MakeCache) -> None:
    """Nobody else can give it back, and afterwards anybody can have it."""
    one, other = make_cache(), make_cache()
    assert one.cache.lock("snow", "ours", 60) is True
    other.cache.unlock("snow", "theirs")
    assert other.cache.lock("snow", "theirs", 60) is False
    one.cache.unlock("snow", "ours")
    assert other.cache.lock("snow", "theirs", 60) is True
    other.cache.unlock("snow", "theirs")


def test_one_of_many_has_the_lock(make_cache: MakeCache) -> None:
    """Taking the lock is one step."""
    caches = [make_cache() for _ in range(4)]
    tokens = iter(range(100))
    found = at_once(20, lambda: caches[(it := next(tokens)) % 4].cache.lock("a", str(it), 60))
    assert sorted(found) == [False] * 19 + [True]
    for it in range(20):
        caches[it % 4].cache.unlock("a", str(it))


def test_after_a_process_has_died_one_thread_computes(make_cache: MakeCache) -> None:
    """The threads of one process go on waiting for the one that has waited for the lock."""
    one, other = make_cache(), make_cache(CACHE_ONCE_TIMEOUT=0.4)
    assert one.cache.lock("snow", "dead", 60) is True
    snow = Snow(0.2)
    assert at_once(20, lambda: other.once("snow", 60, snow)) == [1] * 20
    assert snow.fell == 1
    one.cache.unlock("snow", "dead")
