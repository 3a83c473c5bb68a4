"""A bar chart as SVG, legible on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LINE, TOP, BOTTOM = 820, 26, 48, 12
#: Where the bars begin, and how long the longest is.
LEFT, LONGEST = 220, 430
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 15px }
  .label { text-anchor: end }
  .group { font-weight: 600 }
  .bar { fill: #8c959f }
  .ours { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6e7681 }
    .ours { fill: #58a6ff }
  }
"""


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its length, and what is written after it."""

    label: str
    value: float
    text: str
    ours: bool = False


@dataclass(frozen=True)
class Group:
    """Bars under one heading; an empty one writes none."""

    heading: str
    bars: Sequence[Bar]


def chart(title: str, groups: Sequence[Group]) -> str:
    """Draw horizontal bars from 0; within each group the longest has the full length."""
    lines: list[str] = []
    y = TOP
    for group in groups:
        if group.heading:
            lines.append(
                f'  <text class="group" x="{LEFT}" y="{y + 17}">{escape(group.heading)}</text>'
            )
            y += LINE
        most = max((bar.value for bar in group.bars), default=0) or 1
        for bar in group.bars:
            lines += _drawn(bar, y, LONGEST * bar.value / most)
            y += LINE
    return _document(title, lines, y + BOTTOM)


def _drawn(bar: Bar, y: int, length: float) -> list[str]:
    kind = "bar ours" if bar.ours else "bar"
    return [
        f'  <text class="label" x="{LEFT - 8}" y="{y + 17}">{escape(bar.label)}</text>',
        f'  <rect class="{kind}" x="{LEFT}" y="{y + 4}" width="{length:.1f}" height="{LINE - 8}"/>',
        f'  <text x="{LEFT + length + 6:.1f}" y="{y + 17}">{escape(bar.text)}</text>',
    ]


def _document(title: str, lines: Sequence[str], height: int) -> str:
    name = escape(title)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}">',
            f"  <title>{name}</title>",
            f"  <style>{STYLE}  </style>",
            f'  <text class="title" x="12" y="26">{name}</text>',
            *lines,
            "</svg>",
            "",
        ]
    )
