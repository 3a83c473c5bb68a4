"""What every backend of the cache does.

A test module imports all of this and offers the fixture ``make_cache``: a function that makes a
`Cache` on a place that is empty when the test begins, with the settings that it is given. Each call
makes one as another process would have it. `buttress.testing.contracts.shared_cache` has what
backends do that processes share.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from buttress.cache import Cache

MakeCache = Callable[..., Cache]

VALUES: dict[str, Any] = {
    "text": "Schnee ❄",
    "empty text": "",
    "bytes": b"\x00\r\n\xff",
    "no bytes": b"",
    "a whole number": -12,
    "a large number": 2**70,
    "true": True,
    "false": False,
    "a number": 1.5,
    "a tuple": (1, "a", None),
    "a mapping": {"lifts": [1, 2, {"open": True}]},
    "half a megabyte": b"x" * 500_000,
}
KEYS = {
    "a space": "two words",
    "a newline": "one\r\nflush_all\r\n",
    "other letters": "Hütte/❄",
    "a star": "[a]*?",
    "300 letters": "k" * 300,
    "half a character": "Schn\ud800e",
}


class Snow:
    """Count how often it is computed, and take a moment for it."""

    def __init__(self, seconds: float = 0.0, *, failing: bool = False) -> None:
        self.fell = 0
        self.falling = threading.Event()
        self._seconds = seconds
        self._failing = failing
        self._lock = threading.Lock()

    def __call__(self) -> int:
        with self._lock:
            self.fell += 1
            now = self.fell
        self.falling.set()
        time.sleep(self._seconds)
        if self._failing:
            raise ValueError(f"no snow, {now}")
        return now


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """Call in so many threads at one moment; give the results, an error in place of its own."""
    gate = threading.Barrier(count)

    def one(_: int) -> Any:
        gate.wait()
        try:
            return call()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until something holds, and tell whether it came to that."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def cache(make_cache: MakeCache) -> Cache:
    """Give a cache that is empty."""
    return make_cache()


def test_an_item_that_was_never_set_is_missing(cache: Cache) -> None:
    """What is not there is ``None``."""
    assert cache.get("lift") is None
    assert cache.has("lift") is False


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_an_item_is_given_as_it_was_set(cache: Cache, value: Any) -> None:
    """A value comes back equal and of its own type."""
    assert cache.set("lift", value)
    assert (cache.get("lift"), type(cache.get("lift"))) == (value, type(value))


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_may_be_any_text(cache: Cache, key: str) -> None:
    """A key that a server would not take works, and touches no other item."""
    cache.set("other", 1)
    assert cache.set(key, 2)
    assert cache.get_many(key, "other") == [2, 1]
    assert cache.once(key, 5, lambda: 3) == 2
    assert (cache.delete(key), cache.has(key)) == (True, False)


def test_a_value_that_is_changed_outside_stays_inside(cache: Cache) -> None:
    """Everybody is given a copy."""
    cache.set("lifts", [1])
    cache.get("lifts").append(2)
    cache.once("lifts", 5, lambda: [0]).append(3)
    assert cache.get("lifts") == [1]


def test_an_item_expires(cache: Cache) -> None:
    """After its seconds an item is gone, for each way to ask."""
    cache.set("lift", 1, timeout=1)
    cache.add("piste", 1, timeout=1)
    assert cache.once("snow", 0.2, lambda: 1) == 1
    assert until(lambda: cache.get_many("lift", "piste", "snow") == [None, None, None])
    assert cache.has("lift") is False
    assert cache.once("snow", 5, lambda: 2) == 2


@pytest.mark.parametrize("timeout", [0, 40 * 24 * 3600])
def test_an_item_may_be_kept_long(cache: Cache, timeout: int) -> None:
    """0 seconds is for ever, and more than a month is more than a month."""
    cache.set("lift", 1, timeout=timeout)
    assert cache.get("lift") == 1


def test_what_has_expired_already_is_not_kept(cache: Cache) -> None:
    """A time in the past keeps nothing, and takes away what was there."""
    cache.set_many({"a": 1, "b": 1})
    assert (cache.set("a", 2, timeout=-1), cache.set_many({"b": 2}, timeout=-5)) == (False, [])
    assert cache.add("c", 2, timeout=timedelta(seconds=-1)) is False
    assert cache.get_many("a", "b", "c") == [None, None, None]


def test_add_does_not_replace(cache: Cache) -> None:
    """Of two who add, the first stays."""
    assert (cache.add("lift", 1), cache.add("lift", 2)) == (True, False)
    assert cache.get("lift") == 1


def test_only_one_of_many_adds(cache: Cache) -> None:
    """Adding is one step."""
    assert sorted(at_once(20, lambda: cache.add("lift", 1))) == [False] * 19 + [True]


def test_delete_tells_whether_there_was_something(cache: Cache) -> None:
    """A second deletion finds nothing."""
    cache.set("lift", 1)
    assert (cache.delete("lift"), cache.delete("lift")) == (True, False)
    assert cache.get("lift") is None


def test_several_items_at_once(cache: Cache) -> None:
    """Several are set, given in the order asked for, and deleted together."""
    assert cache.set_many({"a": 1, "b": 2}) == ["a", "b"]
    assert cache.get_many("b", "c", "a") == [2, None, 1]
    assert cache.get_dict("a", "c") == {"a": 1, "c": None}
    assert sorted(cache.delete_many("a", "b")) == ["a", "b"]
    assert cache.get_many("a", "b") == [None, None]
    assert cache.get_many() == []


def test_unlink_deletes(cache: Cache) -> None:
    """What Redis can do later, the others do now."""
    cache.set("a", 1)
    cache.unlink("a", "b")
    assert cache.get("a") is None


def test_clear_deletes_every_item(cache: Cache) -> None:
    """Nothing is left afterwards."""
    cache.set_many({"a": 1, "b": 2})
    assert cache.clear() is True
    assert cache.get_many("a", "b") == [None, None]


def test_what_cannot_be_written_is_refused(cache: Cache) -> None:
    """A value that no serializer takes is an error of whoever caches it, and is not kept."""
    with pytest.raises(TypeError, match="A lock cannot be cached"):
        cache.set("lift", threading.Lock())
    assert cache.get("lift") is None


def test_json_may_be_the_serializer(make_cache: MakeCache) -> None:
    """Then only what JSON can say is kept."""
    cache = make_cache(CACHE_SERIALIZER="json")
    cache.set("lift", {"open": [1]})
    assert cache.get("lift") == {"open": [1]}
    assert [cache.once("none", 5, lambda: None), cache.get("none")] == [None, None]
    with pytest.raises(TypeError, match="A set cannot be cached"):
        cache.set("lift", {1})


def test_functions_are_memoized(cache: Cache) -> None:
    """The decorators of Flask-Caching work, and forget when they are told to."""
    snow = Snow()

    @cache.memoize(5)
    def depth(place: str) -> str:
        return f"{place}: {snow()}"

    assert [depth("a"), depth("a"), depth("b")] == ["a: 1", "a: 1", "b: 2"]
    cache.delete_memoized(depth, "a")
    assert [depth("a"), depth("b")] == ["a: 3", "b: 2"]
    cache.delete_memoized(depth)
    assert depth("b") == "b: 4"


def test_the_heartbeat_sees_that_it_works(cache: Cache) -> None:
    """The check sets, gets and deletes an item, and names the backend."""
    assert cache.check() == {"backend": cache.kind, "breaker": "closed"}


def test_once_computes_what_is_missing(cache: Cache) -> None:
    """The first call computes, later ones are given the item."""
    snow = Snow()
    assert [cache.once("snow", 5, snow) for _ in range(3)] == [1, 1, 1]
    assert (snow.fell, cache.get("snow")) == (1, 1)


def test_once_gives_what_was_set(cache: Cache) -> None:
    """An item is an item, whoever has set it; who deletes it has it computed anew."""
    cache.set("snow", 7)
    assert cache.once("snow", 5, Snow()) == 7
    cache.delete("snow")
    assert cache.once("snow", 5, Snow()) == 1


def test_once_keeps_none(cache: Cache) -> None:
    """That there is nothing is a value too; `get` says it as always."""
    made: list[int] = []
    assert [cache.once("snow", 5, lambda: made.append(1)) for _ in range(3)] == [None] * 3
    assert made == [1]
    assert (cache.get("snow"), cache.get_many("snow"), cache.get_dict("snow")) == (
        None,
        [None],
        {"snow": None},
    )


def test_once_does_not_keep_an_error(cache: Cache) -> None:
    """The caller has it, and the next computes again."""
    with pytest.raises(ValueError, match="no snow, 1"):
        cache.once("snow", 5, Snow(failing=True))
    assert cache.once("snow", 5, Snow()) == 1


def test_five_hundred_misses_are_one_computation(cache: Cache) -> None:
    """Of 500 threads that miss at the same moment one computes, and all have its result."""
    snow = Snow(0.2)
    assert at_once(500, lambda: cache.once("snow", 60, snow)) == [1] * 500
    assert snow.fell == 1


def test_those_that_waited_have_copies(cache: Cache) -> None:
    """Nobody changes what another was given, however it came to be computed."""
    snow = Snow(0.1)
    found = at_once(10, lambda: cache.once("snow", 60, lambda: [snow()]))
    assert (found, len({id(one) for one in found})) == ([[1]] * 10, 10)


def test_keys_do_not_wait_for_each_other(cache: Cache) -> None:
    """What computes one item may ask for another."""
    assert cache.once("a", 5, lambda: cache.once("b", 5, Snow())) == 1
    assert cache.get_many("a", "b") == [1, 1]


def test_an_error_is_tried_again_once(cache: Cache) -> None:
    """Of many that wait one tries again; when that fails too, all have the error."""
    snow = Snow(0.3, failing=True)
    found = at_once(20, lambda: cache.once("snow", 5, snow))
    assert {str(error) for error in found} == {"no snow, 1", "no snow, 2"}
    assert snow.fell == 2


def test_what_computes_an_item_cannot_wait_for_it(cache: Cache) -> None:
    """A computation that asks for itself is told so, and does not hang."""
    with pytest.raises(RuntimeError, match="called by what computes 'snow'"):
        cache.once("snow", 5, lambda: cache.once("snow", 5, Snow()))
    assert cache.once("snow", 5, Snow()) == 1
