"""A project in the current folder, and the command in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from buttress.cli import buttress
from tests.cli.shop import SHOP, Run, Write
from tests.packages import forget_modules, write_package


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Give a function that writes files into a new current folder, which is not on the path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield lambda files: write_package(tmp_path, files)
    forget_modules(tmp_path)


@pytest.fixture
def shop(project: Write) -> Path:
    """Write the small application and give its folder."""
    return project(SHOP)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give a function that runs the command as if in a new process.

    What nobody foresaw is raised.
    """

    def invoke(*arguments: str, **options: str) -> Result:
        forget_modules(tmp_path)
        return CliRunner().invoke(
            buttress, arguments, prog_name="buttress", catch_exceptions=False, **options
        )

    return invoke
