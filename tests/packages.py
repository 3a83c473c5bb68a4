"""Packages that exist for one test."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent


def write_package(root: Path, files: Mapping[str, str]) -> Path:
    """Write ``files`` (path below ``root`` to dedented text) and give ``root``.

    Every folder that holds a Python file gets an ``__init__.py``, unless ``files`` has one.
    """
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    for folder in {root / parent for name in files for parent in _packages(name)}:
        (folder / "__init__.py").touch()
    importlib.invalidate_caches()
    return root


def _packages(name: str) -> list[Path]:
    path = Path(name)
    return [it for it in path.parents if it != Path()] if path.suffix == ".py" else []


def forget_modules(root: Path) -> None:
    """Remove every module that was loaded from below ``root``, or belongs to a package there.

    Raises `ValueError` for a folder that holds the tests themselves.
    """
    if Path(__file__).is_relative_to(root.resolve()):
        raise ValueError(f"{root} holds the tests themselves: name the folder of the package")
    own = {path.stem for path in root.glob("*.py")}
    own |= {path.parent.name for path in root.glob("*/__init__.py")}
    doomed = [
        name
        for name, module in sys.modules.items()
        if name.partition(".")[0] in own
        or any(Path(place).is_relative_to(root) for place in _places(module))
    ]
    for name in doomed:
        del sys.modules[name]
    importlib.invalidate_caches()


def _places(module: object) -> list[str]:
    places = [getattr(module, "__file__", None), *(getattr(module, "__path__", None) or ())]
    return [place for place in places if isinstance(place, str)]
