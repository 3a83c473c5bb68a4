"""Threads that want one thing."""

from __future__ import annotations

import os

import pytest

from buttress.cache.flight import Flights
from buttress.lifecycle import Deadline


def test_a_fork_waits_for_nobody_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who computes in one process computes nothing in the other, which would wait in vain."""
    flights = Flights()

    def fork() -> object:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        return flights.fly("a", lambda: "sun", lambda value: value, Deadline(5))

    assert flights.fly("a", fork, lambda value: value, Deadline(5)) == "sun"
