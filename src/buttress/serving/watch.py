"""Notice that files change, by their time and size."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

#: Folders that hold nobody's own code.
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})


class Watch:
    """Compare files with how they were; ``files`` lists them anew for each look.

    A file that was written after ``since``, in nanoseconds as `time.time_ns` gives them, counts
    as changed even if it was first seen later.
    """

    def __init__(self, files: Callable[[], Iterable[Path]], since: int) -> None:
        self._files = files
        self._since = since
        self._seen = dict(_stamps(files()))

    def changed(self) -> Path | None:
        """Give a file that changed, appeared or went since then."""
        now = dict(_stamps(self._files()))
        for path in self._seen.keys() - now.keys():
            if not path.exists():
                return path
        for path, stamp in now.items():
            if self._seen.setdefault(path, stamp) != stamp or stamp[0] > self._since:
                return path
        return None


def loaded_files() -> list[Path]:
    """Give the files of all modules that are neither Python's own nor installed."""
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    return [Path(file) for file in files if isinstance(file, str) and _is_own(file)]


def python_files(folder: Path) -> Iterator[Path]:
    """Give the Python files below a folder, installed packages and hidden folders apart."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.suffix == ".py":
            yield entry
        elif _is_source_folder(entry):
            yield from python_files(entry)


def _is_source_folder(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.name in SKIPPED
    return not hidden and path.is_dir() and not path.is_symlink()


def _is_own(file: str) -> bool:
    return "site-packages" not in file and not file.startswith((sys.prefix, sys.base_prefix))


def _stamps(files: Iterable[Path]) -> Iterator[tuple[Path, tuple[int, int]]]:
    for path in files:
        try:
            stat = path.stat()
        except OSError:
            continue
        yield path, (stat.st_mtime_ns, stat.st_size)
