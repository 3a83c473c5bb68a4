"""Configuration files in Python: modules of the application, and files that are none."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Set
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from traceback import walk_tb
from types import ModuleType

from buttress.config.conversion import secret_texts
from buttress.config.given import Given, Layer, shown
from buttress.config.registry import Registry
from buttress.config.secret import conceal
from buttress.errors import ConfigError


def from_python(
    path: Path, module: str | None, registry: Registry, secrets: Set[str]
) -> tuple[Layer, list[str]]:
    """Take the upper-case names of a Python file, and say where it failed.

    Where it is the module of that name it is imported, so that it runs once, whoever else imports
    it. Any other file is executed as Flask's ``from_pyfile`` does. One that fails gives what it had
    set by then; ``secrets`` and its own are masked in the message. Raises `ConfigError` where it
    is not Python.
    """
    tree = _parsed(path)
    try:
        names = _names(path, tree, module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever the file raises is a problem to report
        layer = _layer(path, tree, _names_at_failure(path, error))
        message = conceal(str(error), secrets | secret_texts(layer, registry))
        return layer, [f"{_place(path, error)} raised {type(error).__name__}: {message}"]
    return _layer(path, tree, names), []


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        line, reason = getattr(error, "lineno", None) or 1, getattr(error, "msg", error)
        raise ConfigError([f"{shown(path)}:{line} is not valid Python: {reason}"]) from error
    except OSError as error:
        raise ConfigError([f"{shown(path)} cannot be read: {error.strerror}"]) from error


def _names(path: Path, tree: ast.Module, module: str | None) -> Mapping[str, object]:
    if module is not None and _is_module(path, module):
        return vars(import_module(module))
    return _executed(path, tree, module or "config")


def _is_module(path: Path, module: str) -> bool:
    loaded = sys.modules.get(module)
    if loaded is not None:
        return _is_file(getattr(loaded, "__file__", None), path)
    try:
        spec = find_spec(module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            return False
        raise
    return spec is not None and _is_file(spec.origin, path)


def _is_file(name: str | None, path: Path) -> bool:
    return name is not None and Path(name).resolve() == path.resolve()


def _executed(path: Path, tree: ast.Module, module: str) -> Mapping[str, object]:
    scratch = ModuleType(module)
    scratch.__file__ = str(path)
    scratch.__package__ = module.rpartition(".")[0]
    exec(compile(tree, str(path), "exec"), scratch.__dict__)  # noqa: S102  # a .py configuration is code
    return vars(scratch)


def _layer(path: Path, tree: ast.Module, names: Mapping[str, object]) -> Layer:
    lines = _assignments(tree)
    return [
        Given(name, value, f"{shown(path)}:{lines[name]}" if name in lines else shown(path))
        for name, value in names.items()
        if name.isupper()
    ]


def _assignments(tree: ast.Module) -> dict[str, int]:
    lines: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            lines[node.id] = max(node.lineno, lines.get(node.id, 0))
    return lines


def _names_at_failure(path: Path, error: BaseException) -> Mapping[str, object]:
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    own = (frame.f_globals for frame in frames if _is_file(frame.f_code.co_filename, path))
    return dict(next(own, {}))


def _place(path: Path, error: BaseException) -> str:
    """Tell the last line in the file itself, else in the package that holds it, else of all."""
    steps = [
        (Path(frame.f_code.co_filename), line)
        for frame, line in walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith("<frozen")
    ]
    own = [step for step in steps if _is_file(str(step[0]), path)]
    near = [step for step in steps if step[0].is_relative_to(path.parent)]
    file, line = (own or near or steps)[-1]
    return f"{shown(file)}:{line}"
