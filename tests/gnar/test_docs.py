"""``docs/gnar.md`` can be audited: every statement has a number, what holds, and its proof."""

from __future__ import annotations

import inspect
import re
from functools import cache
from pathlib import Path

from buttress.gnar import RUN_STEPS, GnarApp

from .test_runtime import VARIABLES

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = (ROOT / "docs" / "gnar.md").read_text(encoding="utf-8")
PROOF = re.compile(r"`(?:(tests/[\w/]+\.py)::)?(test_\w+)`")

Row = list[str]


def rows(kind: str) -> list[Row]:
    """Give the cells of the rows that begin as ``kind`` says."""
    found = re.findall(rf"^\| ({kind}) \| (.+) \|$", PAGE, re.MULTILINE)
    return [[name, *re.split(r" \| ", cells)] for name, cells in found]


@cache
def tests_of(path: Path) -> frozenset[str]:
    """Name the tests of a file."""
    return frozenset(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def here() -> frozenset[str]:
    """Name the tests of this folder."""
    return frozenset[str]().union(*map(tests_of, HERE.glob("test_*.py")))


STATEMENTS, DIFFERENCES = rows("[0-9]+"), rows("[A-Z]")


def test_proofs_exist() -> None:
    """Every test that the page names is where the page says."""
    found = {(path, name) for path, name in PROOF.findall(PAGE)}
    missing = [
        f"{path}::{name}"
        for path, name in found
        if name not in (tests_of(ROOT / path) if path else here())
    ]
    assert missing == []


def test_statements_are_numbered() -> None:
    """No number of a statement, and no letter of a difference, is left out."""
    assert [int(row[0]) for row in STATEMENTS] == list(range(1, len(STATEMENTS) + 1))
    assert [row[0] for row in DIFFERENCES] == [chr(65 + it) for it in range(len(DIFFERENCES))]
    assert (len(STATEMENTS), len(DIFFERENCES)) == (113, 26)


def test_rows_are_complete() -> None:
    """A row has all of its cells, none is empty, and the last has nothing but proofs."""
    assert [row for row in STATEMENTS if len(row) != 4] == []
    assert [row for row in DIFFERENCES if len(row) != 5] == []
    for row in [*STATEMENTS, *DIFFERENCES]:
        assert all(cell.strip() for cell in row)
        assert PROOF.sub("", row[-1]).replace(", ", "") == ""


def test_differences_are_met() -> None:
    """A letter in a statement has its difference."""
    named = set(re.findall(r"\[(\w+)\]\(#deliberate-differences\)", PAGE))
    assert named <= {row[0] for row in DIFFERENCES}


def test_page_is_complete() -> None:
    """The page speaks of every step, every parameter and every variable."""
    names = [*RUN_STEPS, *inspect.signature(GnarApp).parameters]
    names += [f"GNAR_{it}" for it in VARIABLES]
    assert [name for name in names if not re.search(rf"`{name}\b", PAGE)] == []
