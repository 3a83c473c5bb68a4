"""The cache of a service: Flask-Caching's, with single-flight, and never in the way."""

from __future__ import annotations

import math
import secrets
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from flask import Flask
from flask_caching import Cache as FlaskCaching

from buttress.backoff import pauses
from buttress.cache.flight import Flights
from buttress.cache.guarded import Guarded
from buttress.cache.shards import Shards
from buttress.errors import Unhealthy
from buttress.lifecycle import Deadline
from buttress.web import current_deadline

T = TypeVar("T")

#: What is kept where ``once`` has computed ``None``, which would read as a miss.
NOTHING = "\x00buttress: None"
MISS = object()
#: Seconds between two looks at what another process computes: the first and the longest.
FIRST_LOOK, LONGEST_LOOK = 0.01, 0.1


class Cache(FlaskCaching):
    """What ``app.cache`` is; everything that Flask-Caching's object can, and `once`.

    A server that is down costs no request: what is asked of it is missing, and what is told to it
    is lost. Any thread may use it, inside and outside of contexts.
    """

    def __init__(self, app: Flask, config: dict[str, Any], kind: str, name: str) -> None:
        super().__init__()
        self.kind = kind
        self._patience: float = config["CACHE_ONCE_TIMEOUT"]
        self._flights = Flights()
        self.init_app(app, config)
        # A service has its cache: a plain reference back would be a cycle.
        self.app = cast(Flask, weakref.proxy(app))
        built = app.extensions["cache"][self]
        found = built.parts if isinstance(built, Shards) else [built]
        #: The backends, one for each server.
        self.parts = [Guarded(one, _name_of(one, name)) for one in found]
        self._backend = self.parts[0] if len(found) == 1 else Shards(self.parts)
        app.extensions["cache"][self] = self._backend

    @property
    def cache(self) -> Any:
        """Give the backend, behind its breaker; ``inner`` of it is the bare one."""
        return self._backend

    def get(self, key: str) -> Any:
        """Give an item; ``None`` where there is none."""
        return _plain(self._backend.get(key))

    def get_many(self, *keys: str) -> list[Any]:
        """Give several items, ``None`` for each that is missing."""
        return [_plain(one) for one in self._backend.get_many(*keys)]

    def get_dict(self, *keys: str) -> dict[str, Any]:
        """Give several items by their keys, ``None`` for each that is missing."""
        return dict(zip(keys, self.get_many(*keys), strict=True))

    def once(self, key: str, ttl: float, make: Callable[[], T]) -> T:
        """Give the item, or what ``make`` computes, which is kept for ``ttl`` seconds.

        Of all processes that share the server, and all threads of each, one computes and the others
        wait: processes for CACHE_ONCE_TIMEOUT and threads twice as long, but nobody beyond the
        deadline of the request; then they compute themselves.
        ``None`` is kept as any value; an error is not. ``ttl`` is rounded up to whole seconds.
        """
        seconds = _checked(key, ttl, make)
        found = self._peek(key)
        if found is MISS:
            compute = partial(self._compute, key, seconds, make, self._deadline(1))
            # The one that computes may have waited for another process before it began.
            found = self._flights.fly(key, compute, partial(self._peek, key), self._deadline(2))
        return cast(T, found)

    def check(self) -> dict[str, Any]:
        """Set, get and delete an item on every server, and tell how they are.

        Raises `Unhealthy`.
        """
        failures: list[Unhealthy] = []
        for part in self.parts if self.kind != "null" else ():
            try:
                part.check()
            except Unhealthy as error:
                failures.append(error)
        if failures:
            raise Unhealthy(str(failures[0]), **self._details()) from failures[0]
        return self._details()

    def close(self) -> None:
        """Drop every connection; the next operation opens a new one."""
        for part in self.parts:
            part.close()

    def _details(self) -> dict[str, Any]:
        if len(self.parts) == 1:
            return {"backend": self.kind, "breaker": self.parts[0].breaker.state}
        return {
            "backend": self.kind,
            "breakers": {part.shown: part.breaker.state for part in self.parts},
        }

    def _deadline(self, times: int) -> Deadline:
        request = current_deadline()
        most = times * self._patience
        return Deadline(most if request is None else min(most, request.left()))

    def _peek(self, key: str, otherwise: Any = MISS) -> Any:
        found = self._backend.get(key)
        return otherwise if found is None else _plain(found)

    def _compute(self, key: str, seconds: int, make: Callable[[], Any], patience: Deadline) -> Any:
        """Compute under the lock; without one where the server is down or takes too long."""
        token = secrets.token_hex(16)
        found, locked = self._await_turn(key, token, patience)
        try:
            if found is MISS:
                found = make()
                self._backend.set(key, NOTHING if found is None else found, seconds)
            return found
        finally:
            if locked:
                self._backend.unlock(key, token)

    def _await_turn(self, key: str, token: str, patience: Deadline) -> tuple[Any, bool]:
        """Wait for the lock, or for what another process computes meanwhile."""
        looks = pauses(FIRST_LOOK, LONGEST_LOOK)
        while True:
            locked = self._backend.lock(key, token, self._patience)
            found = self._peek(key)
            if found is not MISS or locked is not False or patience.passed:
                return found, bool(locked)
            time.sleep(min(next(looks), patience.left()))


def _plain(found: Any) -> Any:
    return None if type(found) is str and found == NOTHING else found


def _name_of(backend: Any, otherwise: str) -> str:
    return str(getattr(backend, "shown", otherwise))


def _checked(key: object, ttl: object, make: object) -> int:
    """Give the whole seconds of a ``ttl``. Raises `TypeError` or `ValueError` for what is wrong."""
    if not isinstance(key, str):
        raise TypeError(f"once(key, …): the key is {key!r}, but must be text.")
    if not key:
        raise ValueError("once(key, …): the key is empty.")
    if isinstance(ttl, bool) or not isinstance(ttl, int | float):
        raise TypeError(f"once({key!r}, ttl, …): ttl is {ttl!r}, but must be seconds, a number.")
    if not 0 < ttl < math.inf:
        raise ValueError(f"once({key!r}, ttl, …): ttl is {ttl!r}, but must be more than 0.")
    if not callable(make):
        raise TypeError(f"once({key!r}, …, make): {make!r} cannot be called; give a function.")
    return math.ceil(ttl)
