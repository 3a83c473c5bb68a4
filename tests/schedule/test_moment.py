"""Moments and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.schedule.moment import microseconds, moment_of, time_of


@settings(deadline=None)
@given(st.integers(0, 2**52))
def test_there_and_back(moment: int) -> None:
    """A moment becomes a time and the very same moment again."""
    assert moment_of(time_of(moment)) == moment


def test_of_a_time() -> None:
    """A moment counts microseconds since 1970."""
    assert moment_of(datetime(1970, 1, 2, 0, 0, 1, 5, tzinfo=UTC)) == 86_401_000_005
    assert time_of(microseconds(1.5)) - time_of(0) == timedelta(seconds=1.5)
