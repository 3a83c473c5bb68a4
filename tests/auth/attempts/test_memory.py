"""Attempts in memory."""

from __future__ import annotations

import pytest

from buttress.auth.attempts import Attempts, Pace
from buttress.auth.attempts.memory import MemoryAttempts
from buttress.testing.contracts.attempts import *  # noqa: F403  # the contract


def test_so_many_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest keys are forgotten where there are too many."""
    monkeypatch.setattr("buttress.auth.attempts.memory.MOST", 2)
    attempts, pace = MemoryAttempts(), Pace(free=1, most=9, longest=60.0)
    for key in "abc":
        attempts.take(key, pace, 0.0)
    assert [attempts.take(key, pace, 0.0) for key in "bca"] == [1, 1, 0]


@pytest.fixture
def attempts() -> Attempts:
    """Give an empty store."""
    return MemoryAttempts()
