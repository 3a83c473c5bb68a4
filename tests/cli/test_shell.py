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


def test_log_lines(shop: Path, run: Run) -> None:
    """What is logged while the code runs is on standard error."""
    result = run("shell", "-c", "app.logger.warning('snow'); print(1)")
    assert result.stdout == "1\n"
    assert "snow" in result.stderr


def test_context_processors(project: Write, run: Run) -> None:
    """The names of the shell context processors are there."""
    project({**SHOP, "shop/flask.py": APP})
    assert run("shell", "-c", "print(colour)").stdout == "red\n"


def test_piped(shop: Path, run: Run) -> None:
    """Code that is piped in runs as a whole; a function sees the names around it."""
    code = "import json\ndef show():\n    return json.dumps([app.package])\nprint(show())\n"
    assert run("shell", input=code).stdout == '["shop"]\n'


@pytest.mark.parametrize(
    ("code", "last"),
    [("1 / 0", "ZeroDivisionError: division by zero"), ("1 +", "SyntaxError: invalid syntax")],
)
def test_error_of_the_code(shop: Path, run: Run, code: str, last: str) -> None:
    """The traceback of what the code raises begins in the code, and the exit code is 1."""
    result = run("shell", "-c", code)
    lines = [it for it in result.stderr.splitlines() if not it.startswith("Traceback ")]
    assert (result.exit_code, result.stdout) == (1, "")
    assert lines[0].startswith('  File "<shell>", line 1')
    assert lines[-1] == last
    assert result.stderr.count("File ") == 1


def test_exit_code_of_the_code(shop: Path, run: Run) -> None:
    """The code chooses the exit code."""
    assert run("shell", "-c", "raise SystemExit(7)").exit_code == 7
