"""Weekdays of a crontab entry."""

from __future__ import annotations

import pytest

from buttress.schedule.weekday import weekdays


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("*", "*"),
        ("0", "sun"),
        ("7", "sun"),
        ("1-5", "mon,tue,wed,thu,fri"),
        ("5-7", "sun,fri,sat"),
        ("*/2", "sun,tue,thu,sat"),
        ("1-6/2,0", "sun,mon,wed,fri"),
        ("Mon,FRI", "mon,fri"),
        ("sat-sun", "sun,sat"),
        ("0-0", "sun"),
    ],
)
def test_as_cron_has_them(field: str, expected: str) -> None:
    """Numbers, names, ranges and steps mean what crontab(5) says."""
    assert weekdays(field) == expected


@pytest.mark.parametrize("field", ["8", "-1", "x", "5-1", "1/2", "", "1,", "*/0", "٣"])
def test_what_is_no_weekday(field: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match=r"weekday|begins"):
        weekdays(field)
