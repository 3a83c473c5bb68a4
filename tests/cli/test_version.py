"""``buttress version``."""

from __future__ import annotations

import platform
from importlib.metadata import version

from tests.cli.shop import Run


def test_version(run: Run) -> None:
    """The versions of Buttress, of what it stands on, and of Python are printed."""
    lines = run("version").stdout.splitlines()
    assert lines[0] == f"buttress {version('buttress')}"
    assert lines[-1] == f"python {platform.python_version()}"
