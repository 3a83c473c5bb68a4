"""Files that change are noticed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from buttress.serving.watch import Watch, loaded_files, python_files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file that was written a while ago."""
    file = tmp_path / "shop.py"
    file.write_text("one")
    os.utime(file, (time.time() - 60,) * 2)
    return file


@pytest.fixture
def watch(file: Path) -> Watch:
    """Give a watch over the folder of the file."""
    return Watch(lambda: python_files(file.parent), time.time_ns())


def test_nothing_changed(watch: Watch) -> None:
    """Where nothing changed nothing is given."""
    assert watch.changed() is None


def test_changed(watch: Watch, file: Path) -> None:
    """A file that is written again is given."""
    file.write_text("two")
    assert watch.changed() == file


def test_older_file_moved_here(watch: Watch, file: Path) -> None:
    """A file is given too where another of an earlier time takes its place."""
    os.utime(file, (1, 1))
    assert watch.changed() == file


def test_removed(watch: Watch, file: Path) -> None:
    """A file that is gone is given."""
    file.unlink()
    assert watch.changed() == file


def test_new(watch: Watch, file: Path) -> None:
    """A new file is given."""
    time.sleep(0.02)
    new = file.with_name("lifts.py")
    new.write_text("")
    assert watch.changed() == new


def test_written_before_the_first_look(file: Path) -> None:
    """A file that was written after the given time is given, even if first seen later."""
    since = time.time_ns()
    time.sleep(0.02)
    file.write_text("two")
    assert Watch(lambda: [file], since).changed() == file


def test_python_files(tmp_path: Path) -> None:
    """Installed packages, hidden folders and other files are left out."""
    for name in (
        "a.py",
        "b/c.py",
        ".venv/d.py",
        "b/__pycache__/e.py",
        "site-packages/f.py",
        "g.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert {str(it.relative_to(tmp_path)) for it in python_files(tmp_path)} == {"a.py", "b/c.py"}


def test_loaded_files() -> None:
    """Loaded modules of our own are among the files, Python's and installed ones are not."""
    files = loaded_files()
    assert Path(__file__) in files
    assert not [it for it in files if it.name == "threading.py" or "pytest" in it.parts]
