from __future__ import annotations

import copy
import pickle
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.routing import Rule

from buttress.engine.watched import WatchedMap, watched_hooks, watched_list, watched_table

LISTS: dict[str, Callable[[Any], object]] = {
    "append": lambda it: it.append(3),
    "clear": lambda it: it.clear(),
    "delete": lambda it: it.__delitem__(0),
    "extend": lambda it: it.extend([3]),
    "insert": lambda it: it.insert(0, 3),
    "pop": lambda it: it.pop(),
    "remove": lambda it: it.remove(1),
    "repeat": lambda it: it.__imul__(2),
    "reverse": lambda it: it.reverse(),
    "set": lambda it: it.__setitem__(0, 3),
    "slice": lambda it: it.__setitem__(slice(0, 1), [3]),
    "sort": lambda it: it.sort(reverse=True),
    "add": lambda it: it.__iadd__([3]),
}
TABLES: dict[str, Callable[[Any], object]] = {
    "clear": lambda it: it.clear(),
    "delete": lambda it: it.__delitem__("a"),
    "merge": lambda it: it.__ior__({"b": [2]}),
    "pop": lambda it: it.pop("a"),
    "popitem": lambda it: it.popitem(),
    "set": lambda it: it.__setitem__("b", [2]),
    "setdefault": lambda it: it.setdefault("b", [2]),
    "update": lambda it: it.update(b=[2]),
}
MAPS: dict[str, Callable[[WatchedMap], object]] = {
    "add": lambda it: it.add(Rule("/", endpoint="e")),
    "default_subdomain": lambda it: setattr(it, "default_subdomain", "www"),
    "host_matching": lambda it: setattr(it, "host_matching", True),
    "merge_slashes": lambda it: setattr(it, "merge_slashes", False),
}


def _pickled(it: Any) -> Any:
    return pickle.loads(pickle.dumps(it))  # noqa: S301 -- our own


class Changes:
    """A counter of changes."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.mark.parametrize("change", LISTS.values(), ids=LISTS)
def test_list_tells(change: Callable[[Any], object]) -> None:
    """Every method that changes a list tells, and does what it does to a plain one."""
    plain, told = [1, 2], Changes()
    watched = watched_list([1, 2], told)
    change(plain)
    change(watched)
    assert (list(watched), told.count > 0) == (plain, True)


@pytest.mark.parametrize("change", TABLES.values(), ids=TABLES)
def test_table_tells(change: Callable[[Any], object]) -> None:
    """Every method that changes a dictionary tells, and does what it does to a plain one."""
    plain, told = {"a": [1]}, Changes()
    watched = watched_table({"a": [1]}, told)
    change(plain)
    change(watched)
    assert (dict(watched), told.count > 0) == (plain, True)


@pytest.mark.parametrize("change", TABLES.values(), ids=TABLES)
def test_hooks_tell(change: Callable[[Any], object]) -> None:
    """Every method that changes a table of hooks tells, and does what it does to a plain one."""
    plain, told = defaultdict(list, {"a": [1]}), Changes()
    watched = watched_hooks({"a": [1]}, told)
    told.count = 0
    change(plain)
    change(watched)
    assert (dict(watched), told.count > 0) == (dict(plain), True)


@pytest.mark.parametrize(
    "put",
    [
        lambda it: it["new"],
        lambda it: it.setdefault("new", []),
        lambda it: it.update(new=[]),
        lambda it: it.__setitem__("new", []),
    ],
)
def test_list_of_hooks_tells_however_it_came(put: Callable[[Any], object]) -> None:
    """A list that is put into the table tells of its own changes too."""
    told = Changes()
    watched = watched_hooks({}, told)
    put(watched)
    told.count = 0
    watched["new"].append(1)
    assert (watched, told.count) == ({"new": [1]}, 1)


def test_reading_does_not_tell() -> None:
    """To look at hooks is no change."""
    told = Changes()
    watched = watched_hooks({"a": [1]}, told)
    told.count = 0
    assert (watched.get("a"), "b" in watched, list(watched["a"])) == ([1], False, [1])
    assert (watched["b"], watched.setdefault("a", [2])) == ([], [1])
    assert watched_table({"a": 1}, told).setdefault("a", 2) == 1
    assert told.count == 0


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, _pickled])
@pytest.mark.parametrize(
    ("watch", "plain"),
    [
        (watched_list, [1, [2]]),
        (watched_table, {"a": [1]}),
        (watched_hooks, defaultdict(list, {None: [1], "a": [2]})),
    ],
)
def test_copies_are_plain(
    copied: Callable[[Any], Any], watch: Callable[..., Any], plain: Any
) -> None:
    """A copy, as a test makes to restore it, is what Flask has, and tells nobody."""
    told = Changes()
    watched = watch(plain, told)
    told.count = 0
    made = copied(watched)
    assert (made, type(made), told.count) == (plain, type(plain), 0)


@pytest.mark.parametrize("change", MAPS.values(), ids=MAPS)
def test_map_tells(change: Callable[[WatchedMap], object]) -> None:
    """A new rule, and a new setting of the map, tell."""
    watched, told = WatchedMap(), Changes()
    watched.changed = told
    change(watched)
    assert told.count > 0


def test_matching_is_no_change() -> None:
    """To match and to build URLs leaves the map as it is."""
    watched, told = WatchedMap([Rule("/", endpoint="e")]), Changes()
    watched.changed = told
    adapter = watched.bind("localhost")
    assert (adapter.match("/"), adapter.build("e"), told.count) == (("e", {}), "/", 0)
