"""`make setup` refuses an interpreter that will not do, in one sentence."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rules.source import ROOT


def setup(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of tools/setup in a folder that has no environment yet."""
    (folder / "tools").mkdir()
    script = shutil.copy(ROOT / "tools/setup", folder / "tools/setup")
    return subprocess.run(
        [script], env={"PYTHON": python, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def interpreter(folder: Path, body: str) -> str:
    """Write a stand-in for python3."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('[ "$1" = -V ] && echo Python 3.9.6; exit 1', "python is Python 3.9.6; name another"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "apt-get install python3-venv"),
    ],
)
def test_unfit_interpreter(tmp_path: Path, body: str, sentence: str) -> None:
    """An interpreter that is too old, or cannot make environments, is refused with advice."""
    done = setup(tmp_path, interpreter(tmp_path, body))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert sentence in done.stderr


def test_missing_interpreter(tmp_path: Path) -> None:
    """A name that is no program is refused with advice."""
    done = setup(tmp_path, "no-such-python")
    assert done.returncode == 2
    assert done.stderr.startswith("setup: there is no 'no-such-python' here; install Python 3.11")
