from __future__ import annotations

import re
import sys

import pytest

from buttress import Secret
from buttress.log.console import ConsoleFormatter
from tests.log.lines import raised, record


def test_line() -> None:
    """A line has time, level, message, logger and pairs, without colours where none can be."""
    line = ConsoleFormatter().format(record("open", values={"piste": 7}, rid="abc"))
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} \[info +\] open +\[shop\] +piste=7 rid=abc", line)


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours(monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool) -> None:
    """Colours are for terminals, and not against ``NO_COLOR``."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", no_color)
    assert ("\x1b[" in ConsoleFormatter().format(record("open"))) is coloured


def test_nothing_begins_a_line_or_steers_the_terminal() -> None:
    """Request data brings neither lines nor escape sequences."""
    evil = "\x1b[31m\r\n00:00:00 forged"
    made = record(
        evil, name=evil, values={evil: evil, "s": Secret("x")}, exc_info=raised(ValueError(evil))
    )
    first, *others = ConsoleFormatter().format(made).splitlines()
    assert first.count("forged") == 4
    assert "s=********" in first
    assert all(line.startswith("    ") for line in others)
    assert not any("\x1b" in line for line in (first, *others))


def test_pairs_cannot_replace_the_record() -> None:
    """A pair called like a part of the record does not take its place."""
    line = ConsoleFormatter().format(record("open", values={"level": "critical", "event": "none"}))
    assert "[info" in line
    assert "open" in line
