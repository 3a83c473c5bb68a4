"""Tables of text."""

from __future__ import annotations

import pytest

from buttress.cli.table import print_table


def test_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Each column is as wide as its widest cell, and no line ends in blanks."""
    print_table(("A", "B"), [("long", ""), ("x", "y")])
    assert capsys.readouterr().out == "A     B\nlong\nx     y\n"


def test_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """Without rows there is the head."""
    print_table(("A", "B"), [])
    assert capsys.readouterr().out == "A  B\n"
