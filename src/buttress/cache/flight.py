"""Flights: of many threads that want one thing, one fetches it and the others wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from buttress.lifecycle import Deadline


class Flight:
    """One computation that others wait for."""

    def __init__(self) -> None:
        self.pilot = threading.get_ident()
        self.landed = threading.Event()
        self.value: Any = None
        self.failure: BaseException | None = None


class Flights:
    """The computations that are going on in this process, by key."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._pid, self._lock = os.getpid(), threading.Lock()
        self._flights: dict[str, Flight] = {}

    def fly(
        self,
        key: str,
        compute: Callable[[], Any],
        share: Callable[[Any], Any],
        patience: Deadline,
    ) -> Any:
        """Compute, or wait for another thread that does and give what ``share`` makes of it.

        After a failure one of those that wait tries again; after a second one all that still
        wait have the same error. Whoever waits longer than the patience computes alone.
        """
        failures = 0
        while True:
            flight, leads = self._board(key)
            if leads:
                return self._lead(key, flight, compute)
            if flight.pilot == threading.get_ident():
                raise RuntimeError(f"once({key!r}) is called by what computes {key!r}.")
            if not flight.landed.wait(patience.left()):
                return compute()
            if flight.failure is None:
                return share(flight.value)
            failures += 1
            if failures > 1 and isinstance(flight.failure, Exception):
                raise flight.failure

    def _board(self, key: str) -> tuple[Flight, bool]:
        # Who computed before a fork does so in the other process.
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            known = self._flights.get(key)
            if known is not None:
                return known, False
            self._flights[key] = made = Flight()
            return made, True

    def _lead(self, key: str, flight: Flight, compute: Callable[[], Any]) -> Any:
        try:
            flight.value = compute()
        except BaseException as error:
            flight.failure = error
            raise
        finally:
            with self._lock:
                self._flights.pop(key, None)
            flight.landed.set()
        return flight.value
