"""A table in Markdown has a rule below its headings and cells of one width."""

from __future__ import annotations

from benchmarks.report.table import markdown


def test_columns_are_even() -> None:
    """Text stands to the left and figures to the right, each column as wide as its widest cell."""
    assert markdown(("server", "requests/s"), [("a", "1"), ("long name", "12,345")]).split(
        "\n"
    ) == [
        "| server    | requests/s |",
        "| :-------- | ---------: |",
        "| a         |          1 |",
        "| long name |     12,345 |",
    ]


def test_narrow_columns() -> None:
    """A rule has at least the three characters that Markdown wants."""
    assert markdown(("a", "b"), [("x", "1")]).split("\n")[1] == "| :-- | --: |"


def test_several_columns_of_text() -> None:
    """More than the first column can be text."""
    table = markdown(("a", "b", "c"), [("x", "long", "12.5")], texts=2)
    assert table.split("\n")[1:] == ["| :-- | :--- | ---: |", "| x   | long | 12.5 |"]
