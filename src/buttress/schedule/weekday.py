"""The weekdays of a crontab entry, by the names that are the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: In crontab(5) 0 and 7 are Sunday; APScheduler counts from Monday.
NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[1-9]\d*))?")


def weekdays(field: str) -> str:
    """Write the field with names only. Raises `ValueError` for what is no day."""
    if field == "*":
        return field
    found = {day for part in field.split(",") for day in _days(part)}
    return ",".join(NAMES[day] for day in sorted(found))


def _days(part: str) -> Iterable[int]:
    found = _PART.fullmatch(part)
    if found is None or (found["step"] and found["first"] and not found["last"]):
        raise ValueError(f"{part!r} is no weekday: write 1-5, mon,fri or */2")
    first = _number(found["first"] or "0")
    last = _number(found["last"]) if found["last"] else first if found["first"] else 6
    if last == 0 < first and found["last"]:
        last = 7
    if last < first:
        raise ValueError(f"{part!r} ends before it begins")
    return (day % 7 for day in range(first, last + 1, int(found["step"] or 1)))


def _number(text: str) -> int:
    name = text.lower()
    if name in NAMES:
        return NAMES.index(name)
    if not (name.isascii() and name.isdigit()) or int(name) > 7:
        raise ValueError(f"{text!r} is no weekday: write 0 to 7, or sun to sat")
    return int(name)
