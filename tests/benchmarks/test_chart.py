"""A chart is SVG whose bars are as long as their values."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from benchmarks.report.chart import LONGEST, STYLE, Bar, Group, chart

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*groups: Group) -> ElementTree.Element:
    """Draw a chart and parse it."""
    return ElementTree.fromstring(chart("A & B", groups))  # noqa: S314  # our own text


def lengths(root: ElementTree.Element) -> list[float]:
    """Give the lengths of the bars."""
    return [float(it.attrib["width"]) for it in root.iter(f"{SVG}rect")]


def test_lengths() -> None:
    """The longest bar of each group has the full length, the others their share of it."""
    first = Group("", [Bar("x", 50, "50"), Bar("y", 25, "25")])
    second = Group("", [Bar("z", 2, "2")])
    assert lengths(drawn(first, second)) == [LONGEST, LONGEST / 2, LONGEST]


def test_bars_of_nothing() -> None:
    """Bars whose values are all 0 have no length."""
    assert lengths(drawn(Group("", [Bar("x", 0, "0")]))) == [0]


def test_texts() -> None:
    """Title, headings, labels and figures are written, markup in them as text."""
    root = drawn(Group("<first>", [Bar("x", 50, "50 µs")]))
    texts = [it.text for it in root.iter(f"{SVG}text")]
    assert texts == ["A & B", "<first>", "x", "50 µs"]


def test_nothing_overlaps() -> None:
    """Each line of the chart has a height of its own, inside the picture."""
    root = drawn(Group("first", [Bar("x", 1, ""), Bar("y", 1, "")]), Group("", [Bar("z", 1, "")]))
    ends = [float(it.attrib["y"]) for it in root.iter(f"{SVG}rect")]
    assert ends == sorted(set(ends))
    assert ends[-1] + 26 <= float(root.attrib["viewBox"].split()[3])


def test_ours_stand_out() -> None:
    """Our own bars have a class of their own."""
    root = drawn(Group("", [Bar("x", 1, "", ours=True), Bar("y", 1, "")]))
    assert [it.attrib["class"] for it in root.iter(f"{SVG}rect")] == ["bar ours", "bar"]


def luminance(colour: str) -> float:
    """Give the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_legible_on_light_and_dark() -> None:
    """Text has a contrast of 7 to the page and bars one of 3, on white and on almost black."""
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    for style, page in ((light, "#ffffff"), (dark, "#0d1117")):
        for name, colour in re.findall(r"(\S+) \{[^}]*fill: (#\w{6})", style):
            least, most = sorted((luminance(colour), luminance(page)))
            assert (most + 0.05) / (least + 0.05) >= (7 if name == "text" else 3), (name, page)
