"""``docs/gnar.md`` points at tests that exist, and names what the document promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from buttress.gnar import RUN_STEPS

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "gnar.md"


def test_proofs_exist() -> None:
    """Every test that the page names is there."""
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    code = "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    assert named - set(re.findall(r"^def (test_\w+)", code, re.MULTILINE)) == set()


@pytest.mark.parametrize("name", RUN_STEPS)
def test_page_is_complete(name: str) -> None:
    """The page speaks of every step."""
    assert f"`{name}`" in PAGE.read_text(encoding="utf-8")
