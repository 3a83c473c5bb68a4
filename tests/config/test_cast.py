"""Casting of single values."""

from __future__ import annotations

from datetime import timedelta

import pytest

from buttress.config.cast import cast, fits


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", float("nan"), float("inf")])
@pytest.mark.parametrize("wrap", [False, True])
def test_a_number_is_finite(value, wrap):
    """What is no number, or has no end, fits nowhere, not inside a list either."""
    assert not fits([value] if wrap else value, list[float] if wrap else float)


@pytest.mark.parametrize("value", ["nan", "inf", "1e300", float("inf"), 1e300, 10**400])
def test_a_duration_is_finite(value):
    """A duration that cannot be reckoned with does not fit."""
    assert not fits(value, timedelta)


def test_finite_numbers_are_cast():
    """Texts become numbers, also inside a list."""
    assert cast(["1.5", 2], list[float]) == [1.5, 2.0]
