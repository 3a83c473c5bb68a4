"""The example is what the Gnar document prescribes, works, and is tested by its own tests."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.demo import QUESTIONS
from tools.running import free_port, running

PISTE = Path(__file__).parents[2] / "examples" / "piste"


def test_two_lines() -> None:
    """The main module is two statements: an import, and the application."""
    text = (PISTE / "piste/app/main.py").read_text(encoding="utf-8")
    first, second = filter(None, text.splitlines())
    assert first == "from buttress.gnar import GnarApp"
    assert second.startswith('app = GnarApp("piste", production=True, port=8000')


@pytest.mark.parametrize("area", ["lifts", "pistes", "summary"])
def test_layout(area: str) -> None:
    """Each part of the API has its routes on a global blueprint, its rules, and its names."""
    folder = PISTE / "piste" / "app" / area
    tree = ast.parse((folder / "apis.py").read_text(encoding="utf-8"))
    assigned = {ast.unparse(it.targets[0]) for it in tree.body if isinstance(it, ast.Assign)}
    assert "blueprint" in assigned
    assert {it.name for it in folder.glob("*.py")} >= {"constants.py", "services.py"}


def test_own_tests() -> None:
    """Its tests pass, started as a user would."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PISTE)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout


def test_served() -> None:
    """The production server gives the answers that the demo shows, and ends with 0."""
    with running(PISTE, free_port()) as service:
        for question in QUESTIONS:
            status, _ = service.ask(question.path, question.method, question.body)
            assert status == question.status
        assert service.ask("/pistes/nowhere")[0] == 404
        assert service.stop() == 0
