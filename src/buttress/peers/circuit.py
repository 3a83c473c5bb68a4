"""The circuits of calls: one for each peer, one for each host of the world outside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from buttress.peers.breaker import Breaker
from buttress.peers.budget import Budget

#: Hosts of the world outside that are remembered; the oldest is forgotten first.
MOST_HOSTS = 256


@dataclass(frozen=True)
class Circuit:
    """What is counted for one peer: its failures, and its retries."""

    breaker: Breaker
    budget: Budget

    @property
    def name(self) -> str:
        """Give the name of the peer, or the scheme and host."""
        return self.breaker.name

    def report(self) -> dict[str, Any]:
        """Describe the circuit for the heartbeat."""
        state, left = self.breaker.state, self.breaker.left()
        found: dict[str, Any] = {"state": state, "failures": self.breaker.failures}
        return {**found, "seconds_left": round(left, 1)} if left else found


class ByHost:
    """Circuits by the scheme, host and port of a URL."""

    def __init__(self, make: Callable[[str], Circuit]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._circuits: dict[str, Circuit] = {}

    def __call__(self, url: str) -> Circuit:
        """Find the circuit of a URL."""
        parts = urlsplit(url)
        key = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return self._circuits.get(key) or self._add(key)

    def failing(self) -> list[Circuit]:
        """List the circuits of those that failed last."""
        with self._lock:
            return [it for it in self._circuits.values() if it.breaker.failures]

    def _add(self, key: str) -> Circuit:
        with self._lock:
            if len(self._circuits) >= MOST_HOSTS:
                del self._circuits[next(iter(self._circuits))]
            return self._circuits.setdefault(key, self._make(key))
