"""Attributes that are made when they are first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):
    """A method that becomes a plain attribute of the instance at its first reading.

    Unlike `functools.cached_property` of Python 3.11 it takes no lock, and an assignment before
    or after the first reading is an ordinary one.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> T | lazy[T]:
        if instance is None:
            return self
        # Threads that share the instance agree on the one that was first.
        value: T = instance.__dict__.setdefault(self._name, self._make(instance))
        return value
