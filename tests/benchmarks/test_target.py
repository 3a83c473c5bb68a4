"""A target compares the figures of two subjects."""

from __future__ import annotations

import pytest

from benchmarks.report.target import Target

TARGET = Target("ours beside theirs", "ours", "theirs", 1.5)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (30.0, "- ours beside theirs: 1.50× (target ≥ 1.5×), met"),
        (29.8, "- ours beside theirs: 1.49× (target ≥ 1.5×), **not met**"),
    ],
)
def test_verdict(ours: float, expected: str) -> None:
    """The verdict gives the ratio, what was wanted, and whether that is reached."""
    assert TARGET.verdict({"ours": ours, "theirs": 20.0}) == expected


@pytest.mark.parametrize("figures", [{"ours": 1.0}, {"theirs": 1.0}, {}])
def test_no_verdict(figures: dict[str, float]) -> None:
    """What was not measured is not judged."""
    assert TARGET.verdict(figures) is None
