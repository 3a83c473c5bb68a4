"""Packages that exist for one test leave no trace."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.packages import forget_modules

Package = Callable[[Mapping[str, str]], Path]


def test_written_package_is_importable(package: Package) -> None:
    """A written file is importable under its real name, its folders being packages."""
    package({"shop/app/main.py": "name = __name__"})
    assert importlib.import_module("shop.app.main").name == "shop.app.main"


def test_other_files_make_no_package(package: Package) -> None:
    """A folder without Python files gets no ``__init__.py``."""
    root = package({"shop/data/rows.json": "[]"})
    assert [it.name for it in (root / "shop/data").iterdir()] == ["rows.json"]


def test_forgotten_modules(package: Package) -> None:
    """Modules of the package are forgotten, and the same name can be written anew."""
    root = package({"shop/app/main.py": "value = 1"})
    importlib.import_module("shop.app.main")
    forget_modules(root)
    assert not [name for name in sys.modules if name.partition(".")[0] == "shop"]


def test_own_modules_are_kept() -> None:
    """The modules of the tests themselves cannot be forgotten by mistake."""
    with pytest.raises(ValueError, match="holds the tests themselves"):
        forget_modules(Path(__file__).parent)
