"""Pauses that grow."""

from __future__ import annotations

from itertools import islice

from buttress.backoff import pauses


def test_pauses_double_up_to_the_longest() -> None:
    """Each pause is between half and the whole of one that doubles, and never over the longest."""
    found = list(islice(pauses(0.1, 1.0), 8))
    wholes = [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0]
    assert all(whole / 2 <= it <= whole for it, whole in zip(found, wholes, strict=True))


def test_pauses_differ() -> None:
    """Two who fail at once do not come back at once."""
    assert list(islice(pauses(1, 8), 5)) != list(islice(pauses(1, 8), 5))
