"""The parts of an application that are compiled, and what notices that one of them has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from werkzeug.routing import Map

K = TypeVar("K")

_CHANGING_LISTS = (
    "append clear extend insert pop remove reverse sort __delitem__ __iadd__ __imul__ __setitem__"
).split()
_CHANGING_TABLES = "clear pop popitem update __delitem__ __ior__ __setitem__".split()


def _nothing() -> None:
    """Stand for what is to be called before anybody watches."""


def _telling(names: list[str]) -> Callable[[type[K]], type[K]]:
    """Let methods of a container call its ``changed`` once they are done."""

    def decorate(kind: type[K]) -> type[K]:
        for name in names:
            setattr(kind, name, _tells(getattr(kind, name)))
        return kind

    return decorate


def _tells(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def told(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:
            self.changed()

    return told


@_telling(_CHANGING_LISTS)
class WatchedList(list[Any]):
    """A list that tells of its changes. What `copy` and `pickle` make of it is plain."""

    changed: Callable[[], object] = staticmethod(_nothing)

    def __reduce__(self) -> tuple[Any, ...]:
        return list, ([*self],)


@_telling(_CHANGING_TABLES)
class WatchedTable(dict[Any, Any]):
    """A dictionary that tells of its changes. What `copy` and `pickle` make of it is plain."""

    changed: Callable[[], object] = staticmethod(_nothing)

    def setdefault(self, name: Any, value: Any = None) -> Any:
        """Give the value of a name, which is ``value`` where there was none."""
        if name not in self:
            self[name] = value
        return self[name]

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, ({**self},)


@_telling(["clear", "pop", "popitem", "__delitem__"])
class WatchedHooks(defaultdict[Any, Any]):
    """Hooks by blueprint: lists that tell of their changes, in a dictionary that does too.

    What `copy` and `pickle` make of it is plain.
    """

    changed: Callable[[], object] = staticmethod(_nothing)

    def __missing__(self, name: Any) -> Any:
        hooks = watched_list((), self.changed)
        super().__setitem__(name, hooks)  # which changes nothing until something is in it
        return hooks

    def copy(self) -> Any:
        """Give a plain copy."""
        return defaultdict(list, self)

    __copy__ = copy

    def __reduce__(self) -> tuple[Any, ...]:
        return defaultdict, (list, {**self})

    def __setitem__(self, name: Any, hooks: Any) -> None:
        super().__setitem__(name, watched_list(hooks, self.changed))
        self.changed()

    def setdefault(self, name: Any, hooks: Any = ()) -> Any:
        """Give the hooks of a name, which are ``hooks`` where there were none."""
        if name not in self:
            self[name] = hooks
        return self[name]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set the hooks of several names."""
        for name, hooks in dict(*args, **kwargs).items():
            self[name] = hooks

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]  # returns itself
        self.update(other)
        return self


class WatchedMap(Map):
    """Werkzeug's map of rules, telling of its changes."""

    changed: Callable[[], object] = staticmethod(_nothing)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; Werkzeug sets ``_remap`` to true with every rule that is added."""
        super().__setattr__(name, value)
        if name != "changed" and (name != "_remap" or value):
            self.changed()


def watched_list(items: Any, changed: Callable[[], object]) -> WatchedList:
    """Copy a list into one that tells of its changes."""
    made = WatchedList(items)
    made.changed = changed
    return made


def watched_table(items: Any, changed: Callable[[], object]) -> WatchedTable:
    """Copy a dictionary into one that tells of its changes."""
    made = WatchedTable(items)
    made.changed = changed
    return made


def watched_hooks(items: Any, changed: Callable[[], object]) -> WatchedHooks:
    """Copy a dictionary of lists into one that tells of its changes and of theirs."""
    made = WatchedHooks(list)
    made.changed = changed
    made.update(items)
    return made
