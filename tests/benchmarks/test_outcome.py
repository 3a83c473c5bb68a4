"""What was measured in process is written down."""

from __future__ import annotations

from benchmarks.cases.outcome import FALCON, FLASK, SERVICE, groups, result, table
from benchmarks.cases.timing import Times

MEASURED = {
    ("dict", FALCON): Times(10, 9),
    ("dict", FLASK): Times(50, 49),
    ("dict", SERVICE): Times(4, 3.5),
    ("jsonify", FLASK): Times(60, 60),
    ("jsonify", SERVICE): Times(12, 12),
}


def test_table() -> None:
    """Each application has a line with its times and its ratio to Flask in the same case."""
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in table(MEASURED).split("\n")
    ]
    assert [row[1:] for row in rows[2:]] == [
        ["Falcon", "10.00", "9.00", "5.00×"],
        ["Flask", "50.00", "49.00", "1.00×"],
        ["Service", "4.00", "3.50", "12.50×"],
        ["Flask", "60.00", "60.00", "1.00×"],
        ["Service", "12.00", "12.00", "5.00×"],
    ]


def test_groups() -> None:
    """Each case is a group of bars, in which Service stands out."""
    assert [[(bar.label, bar.ours) for bar in group.bars] for group in groups(MEASURED)] == [
        [("Falcon", False), ("Flask", False), ("Service", True)],
        [("Flask", False), ("Service", True)],
    ]


def test_verdicts() -> None:
    """Shorter times are better; a case that was not measured has no verdict."""
    page = result(MEASURED, "1 round", "here").page
    assert [line for line in page.split("\n") if line.startswith("- ")] == [
        "- dict view beside Flask: 12.50× (target ≥ 10×), met; by processor time 14.00×",
        "- dict view beside Falcon: 2.50× (target ≥ 1×), met; by processor time 2.57×",
        "- `jsonify` beside Flask: 5.00× (target ≥ 6×), **not met**; by processor time 5.00×",
    ]
