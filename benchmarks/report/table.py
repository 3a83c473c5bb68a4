"""A table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """Write a table; the first ``texts`` columns stand to the left, figures to the right."""
    widths = [max(3, *map(len, column)) for column in zip(headings, *rows, strict=True)]
    sides = ["<" if number < texts else ">" for number in range(len(widths))]
    rule = [
        f":{'-' * (width - 1)}" if side == "<" else f"{'-' * (width - 1)}:"
        for side, width in zip(sides, widths, strict=True)
    ]
    return "\n".join(
        "| " + " | ".join(map(format, line, map("{}{}".format, sides, widths))) + " |"
        for line in (headings, rule, *rows)
    )
