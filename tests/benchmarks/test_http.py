"""What was measured over HTTP is written down."""

from __future__ import annotations

from benchmarks.http import Figures, bars, result, table
from benchmarks.load.subjects import FASTAPI, LIMIT, SERVICE, subjects

MEASURED = {
    SERVICE: Figures(14_000, 50, 2.5, 0),
    LIMIT: Figures(20_000, 35, 1.25, 0),
    FASTAPI: Figures(4_000, 250, 9, 3),
}


def test_table() -> None:
    """The fastest comes first, the others with their share of it."""
    _, _, *rows = table(MEASURED).split("\n")
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells == [
        [LIMIT, "20,000", "1.00", "35.0", "1.25", "0"],
        [SERVICE, "14,000", "0.70", "50.0", "2.50", "0"],
        [FASTAPI, "4,000", "0.20", "250.0", "9.00", "3"],
    ]


def test_bars() -> None:
    """Each server has a bar, and those of Service stand out."""
    assert [(bar.label, bar.ours) for bar in bars(MEASURED)] == [
        (LIMIT, False),
        (SERVICE, True),
        (FASTAPI, False),
    ]


def test_verdicts() -> None:
    """Each target whose subjects were measured has a verdict, by throughput and processor time."""
    page = result(MEASURED, {"1 worker": MEASURED[SERVICE]}, "1 round", 1, where="here").page
    assert [line for line in page.split("\n") if line.startswith("- ")] == [
        "- Service beside the limit: 0.70× (target ≥ 0.7×), met; by processor time 0.70×",
        "- Service beside FastAPI: 3.50× (target ≥ 4×), **not met**; by processor time 5.00×",
    ]


def test_subjects() -> None:
    """Every server has a name of its own, and listens on the port that it is given."""
    every = subjects(2)
    assert len({it.name for it in every}) == len(every) == 13
    assert all(any("4711" in word for word in it.on(4711)) for it in every)
