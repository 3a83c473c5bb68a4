"""``buttress shell``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shop import SHOP, Run, Write

APP = """
    from shop import create_app

    app = create_app()
    app.shell_context_processor(lambda: {"colour": "red"})
"""


def test_code(shop: Path, run: Run) -> None:
    """The code runs with the application started and in its context."""
    code = "from flask import current_app as it; print(app.package, it.lifecycle.state)"
    result = run("shell", "-c", code)
    assert (result.exit_code, result.stdout) == (0, "shop serving\n")


def test_context_processors(project: Write, run: Run) -> None:
    """The names of the shell context processors are there."""
    project({**SHOP, "shop/flask.py": APP})
    assert run("shell", "-c", "print(colour)").stdout == "red\n"


def test_piped(shop: Path, run: Run) -> None:
    """Code that is piped in runs as a whole; a function sees the names around it."""
    code = "import json\ndef show():\n    return json.dumps([app.package])\nprint(show())\n"
    assert run("shell", input=code).stdout == '["shop"]\n'


def test_error_of_the_code(shop: Path, run: Run) -> None:
    """What the code raises is the code's own affair."""
    with pytest.raises(ZeroDivisionError):
        run("shell", "-c", "1 / 0")


def test_exit_code_of_the_code(shop: Path, run: Run) -> None:
    """The code chooses the exit code."""
    assert run("shell", "-c", "raise SystemExit(7)").exit_code == 7
