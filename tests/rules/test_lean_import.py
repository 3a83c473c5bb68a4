"""Importing Buttress loads nothing heavy: what only some need is loaded where it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("asyncio", "bjoern", "dotenv", "granian", "gunicorn", "multiprocessing", "structlog")
PROBE = "import sys; before = set(sys.modules); import {}; print(*(set(sys.modules) - before))"


def loaded(module: str) -> set[str]:
    """Import a module in a fresh interpreter and give the top-level names that this loaded."""
    command = [sys.executable, "-c", PROBE.format(module)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name.partition(".")[0] for name in output.split()}


@pytest.mark.parametrize("heavy", HEAVY)
def test_import_is_lean(heavy: str, imported: set[str]) -> None:
    """``import buttress`` loads no server and nothing that Flask itself does not load."""
    assert heavy not in imported


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Give what ``import buttress`` loads beyond what Flask does."""
    return loaded("buttress") - loaded("flask")


def test_rule_sees_a_heavy_import() -> None:
    """The rule sees what a module loads in turn."""
    assert "asyncio" in loaded("asyncio.queues")
