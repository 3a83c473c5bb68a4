"""Configuration files: Python, TOML and ini."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from buttress.config import ini
from buttress.config.given import Given, Layer, Undeclared, shown
from buttress.config.inifile import read_text
from buttress.config.registry import Registry
from buttress.errors import ConfigError

_SUFFIXES = ".py, .ini, .conf or .toml"


def read(
    path: Path, registry: Registry, environ: Mapping[str, str], module: str
) -> tuple[Layer, list[str]]:
    """Read a file by its suffix: what it gives, and what is wrong in it, one sentence each.

    ``module`` is the name under which Python is executed.
    """
    try:
        match path.suffix:
            case ".py":
                return from_python(path, module), []
            case ".ini" | ".conf":
                return from_ini(path, registry, environ)
            case ".toml":
                return from_toml(path, registry)
            case _:
                return [], [f"{shown(path)}: the name must end in {_SUFFIXES}"]
    except ConfigError as error:
        return [], list(error.problems)


def from_python(path: Path, module: str) -> Layer:
    """Execute a Python file as Flask's ``from_pyfile`` does and take its upper-case names.

    It does not become a module; when the application has imported it as one already, that one
    is taken, so that it is not executed twice. Raises `ConfigError` when it fails.
    """
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        line, reason = getattr(error, "lineno", None) or 1, getattr(error, "msg", error)
        raise ConfigError([f"{shown(path)}:{line} is not valid Python: {reason}"]) from error
    except OSError as error:
        raise ConfigError([f"{shown(path)} cannot be read: {error.strerror}"]) from error
    names = _imported(path, module) or _executed(path, tree, module)
    lines = _assignments(tree)
    return [
        Given(name, value, f"{shown(path)}:{lines[name]}" if name in lines else shown(path))
        for name, value in names.items()
        if name.isupper()
    ]


def _imported(path: Path, module: str) -> dict[str, object] | None:
    found = sys.modules.get(module)
    origin = getattr(found, "__file__", None)
    return vars(found) if origin is not None and Path(origin).resolve() == path.resolve() else None


def _executed(path: Path, tree: ast.Module, module: str) -> dict[str, object]:
    scratch = ModuleType(module)
    scratch.__file__ = str(path)
    scratch.__package__ = module.rpartition(".")[0]
    try:
        exec(compile(tree, str(path), "exec"), scratch.__dict__)  # noqa: S102  # a .py configuration is code
    except Exception as error:
        name = type(error).__name__
        raise ConfigError([f"{_place(path, error)} raised {name}: {error}"]) from error
    return scratch.__dict__


def _place(path: Path, error: Exception) -> str:
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            line = step.tb_lineno
        step = step.tb_next
    return f"{shown(path)}:{line}"


def _assignments(tree: ast.Module) -> dict[str, int]:
    lines: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            lines[node.id] = max(node.lineno, lines.get(node.id, 0))
    return lines


def from_toml(path: Path, registry: Registry) -> tuple[Layer, list[str]]:
    """Read the flat, upper-case keys of a TOML file, and say what is not flat.

    Raises `ConfigError` when it is no TOML.
    """
    import tomllib

    text = read_text(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{shown(path)} is not valid TOML: {error}"]) from error
    layer = [Given(name, value, _toml_origin(path, text, name)) for name, value in table.items()]
    flat = [given for given in layer if given.name == given.name.upper()]
    return flat, [_unflat(given, registry) for given in layer if given not in flat]


def _toml_origin(path: Path, text: str, name: str) -> str:
    found = re.search(rf"""^[ \t]*\[{{0,2}}[ \t]*["']?{re.escape(name)}\b""", text, re.MULTILINE)
    return f"{shown(path)}:{text.count(chr(10), 0, found.start()) + 1}" if found else shown(path)


def _unflat(given: Given, registry: Registry) -> str:
    if isinstance(given.value, dict) and registry.owns_section(given.name):
        key = registry.key_in(given.name, next(iter(given.value), "key"))
        return f"{given.origin}: write {key} = … at the top instead of the table [{given.name}]"
    return f"{given.origin}: write {given.name.upper()} instead of {given.name}"


def from_ini(path: Path, registry: Registry, environ: Mapping[str, str]) -> tuple[Layer, list[str]]:
    """Read an ini file, and its mistakes: ``[cache] url`` is CACHE_URL, ``[flask] x`` is X."""
    entries, problems = ini.read(path, environ)
    layer = [
        Given(
            name=registry.key_in(section, option),
            value=entry.value,
            origin=entry.origin,
            text=entry.text,
            undeclared=_strictness(section, registry),
            variables=entry.variables,
        )
        for section, options in entries.items()
        if not section.startswith(ini.HOST)
        for option, entry in options.items()
    ]
    return layer, problems


def _strictness(section: str, registry: Registry) -> Undeclared:
    if not registry.owns_section(section):
        return "suspect"
    return "similar" if section.lower() == "flask" else "refuse"
