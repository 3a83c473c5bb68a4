"""What attempts are counted under."""

from __future__ import annotations

import pytest

from buttress.auth.attempts import SKEW, Count, Pace, key_of, next_count

PACE = Pace(free=2, most=10, longest=60.0)


@pytest.mark.parametrize("skew", [0, 1, SKEW - 1])
def test_clocks_that_differ(skew: float) -> None:
    """A process whose clock is behind another's goes on with its count."""
    count, wait = next_count(Count(5, 1000.0, 0.0), PACE, 1000.0 - skew)
    assert (count.number, count.since, wait) == (6, 1000.0, 0)


def test_no_names_are_kept() -> None:
    """What people typed is not kept; parts do not run into each other."""
    assert key_of("a", "bc") != key_of("ab", "c")
    assert len(key_of("\ud800", "x" * 10_000)) == 64
