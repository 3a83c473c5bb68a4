"""The cache in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from buttress.cache import Cache
from buttress.testing.contracts.cache import *  # noqa: F403  # every backend does what it says


@pytest.fixture
def make_cache(cache_of: Callable[..., Cache]) -> Callable[..., Cache]:
    """Give a function that makes caches in memory."""
    return cache_of


def test_the_oldest_go_when_there_are_too_many(cache_of: Callable[..., Cache]) -> None:
    """There are never many more items than the threshold; those that expire first go."""
    cache = cache_of(CACHE_THRESHOLD=10)
    for number in range(50):
        cache.set(f"lift {number}", number, timeout=100 + number)
    kept = [number for number in range(50) if cache.has(f"lift {number}")]
    assert kept == list(range(50 - len(kept), 50))
    assert 10 <= len(kept) <= 11


def test_no_threshold_is_no_limit(cache_of: Callable[..., Cache]) -> None:
    """0 keeps everything."""
    cache = cache_of(CACHE_THRESHOLD=0)
    cache.set_many({str(number): number for number in range(1000)})
    assert all(cache.has(str(number)) for number in range(1000))


def test_an_item_lasts_all_of_its_seconds(
    cache_of: Callable[..., Cache], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second that began late is as long as any."""
    now = [1000.9]
    monkeypatch.setattr("time.time", lambda: now[0])
    monkeypatch.setattr("cachelib.simple.time", lambda: now[0])
    cache = cache_of()
    cache.set("lift", 1, timeout=1)
    found = []
    for now[0] in (1001.8, 1002.0):
        found.append(cache.get("lift"))
    assert found == [1, None]


def test_what_never_expires_goes_last(cache_of: Callable[..., Cache]) -> None:
    """Where there are too many items, those that expire make room."""
    cache = cache_of(CACHE_THRESHOLD=3)
    cache.set("lift", 1, timeout=0)
    cache.set_many({str(number): number for number in range(9)})
    assert cache.get("lift") == 1
