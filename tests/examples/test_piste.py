"""The example is what the Gnar document prescribes, and is tested by its own tests everywhere."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import KINDS, fresh_database
from tools.demo import PISTE


def test_two_lines() -> None:
    """The main module is two statements: an import, and the application."""
    text = (PISTE / "piste/app/main.py").read_text(encoding="utf-8")
    first, second = filter(None, text.splitlines())
    assert first == "from buttress.gnar import GnarApp"
    assert second.startswith('app = GnarApp("piste", production=True, port=8000')


@pytest.mark.parametrize("area", ["lifts", "pistes", "reports", "summary", "users"])
def test_layout(area: str) -> None:
    """Each part of the API has its routes on a global blueprint, its rules, and its names."""
    folder = PISTE / "piste" / "app" / area
    tree = ast.parse((folder / "apis.py").read_text(encoding="utf-8"))
    assigned = {ast.unparse(it.targets[0]) for it in tree.body if isinstance(it, ast.Assign)}
    assert "blueprint" in assigned
    assert {it.name for it in folder.glob("*.py")} >= {"constants.py", "services.py"}


@pytest.mark.parametrize("kind", KINDS)
def test_own_tests(kind: str, tmp_path: Path) -> None:
    """Its tests pass on every database, started as a user would."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PISTE)]
    with fresh_database(kind, tmp_path) as url:
        environ = {**os.environ, "GNAR_DB_URL": url}
        ended = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=120, check=False
        )
    assert ended.returncode == 0, ended.stdout
