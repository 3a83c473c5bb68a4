"""Configuration files: Python, TOML and ini."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from buttress.config import ini
from buttress.config.given import Given, Layer, Undeclared, shown
from buttress.config.inifile import read_text
from buttress.config.registry import Registry
from buttress.errors import ConfigError

_SUFFIXES = ".py, .ini, .conf or .toml"


def read(path: Path, registry: Registry, environ: Mapping[str, str], module: str) -> Layer:
    """Read a file by its suffix; ``module`` is the name under which Python is executed.

    Raises `ConfigError` with everything that is wrong in it.
    """
    if not path.is_file():
        raise ConfigError([f"there is no configuration file {shown(path)}"])
    match path.suffix:
        case ".py":
            return from_python(path, module)
        case ".ini" | ".conf":
            return from_ini(path, registry, environ)
        case ".toml":
            return from_toml(path, registry)
        case _:
            raise ConfigError([f"{shown(path)}: the name must end in {_SUFFIXES}"])


def from_python(path: Path, module: str) -> Layer:
    """Execute a Python file as Flask's ``from_pyfile`` does and take its upper-case names.

    It does not become a module; when the application has imported it as one already, that one
    is taken, so that it is not executed twice. Raises `ConfigError` when it fails.
    """
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        place = f"{shown(path)}:{error.lineno or 1}"
        raise ConfigError([f"{place} is not valid Python: {error.msg}"]) from error
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


def from_toml(path: Path, registry: Registry) -> Layer:
    """Read the flat, upper-case keys of a TOML file; raises `ConfigError`."""
    import tomllib

    text = read_text(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{shown(path)} is not valid TOML: {error}"]) from error
    layer = [Given(name, value, _toml_origin(path, text, name)) for name, value in table.items()]
    problems = list(_not_flat(layer, registry))
    if problems:
        raise ConfigError(problems)
    return layer


def _toml_origin(path: Path, text: str, name: str) -> str:
    found = re.search(rf"""^[ \t]*\[{{0,2}}[ \t]*["']?{re.escape(name)}\b""", text, re.MULTILINE)
    return f"{shown(path)}:{text.count(chr(10), 0, found.start()) + 1}" if found else shown(path)


def _not_flat(layer: Layer, registry: Registry) -> Iterator[str]:
    for given in layer:
        if given.name == given.name.upper():
            continue
        if isinstance(given.value, dict) and registry.owns_section(given.name):
            option = next(iter(given.value), "key")
            key = registry.key_in(given.name, option)
            yield f"{given.origin}: write {key} = … at the top instead of the table [{given.name}]"
        else:
            yield f"{given.origin}: write {given.name.upper()} instead of {given.name}"


def from_ini(path: Path, registry: Registry, environ: Mapping[str, str]) -> Layer:
    """Read an ini file: ``[cache] url`` is CACHE_URL, ``[flask] x`` is X; raises `ConfigError`."""
    return [
        Given(
            name=registry.key_in(section, option),
            value=entry.value,
            origin=entry.origin,
            text=entry.text,
            undeclared=_strictness(section, registry),
            variables=entry.variables,
        )
        for section, options in ini.read(path, environ).items()
        if not section.startswith(ini.HOST)
        for option, entry in options.items()
    ]


def _strictness(section: str, registry: Registry) -> Undeclared:
    if not registry.owns_section(section):
        return "suspect"
    return "similar" if section.lower() == "flask" else "refuse"
