"""Configuration files: Python, TOML and ini."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from pathlib import Path

from buttress.config import ini
from buttress.config.given import Given, Layer, Undeclared, shown
from buttress.config.inifile import read_text
from buttress.config.pyfile import from_python
from buttress.config.registry import Registry
from buttress.errors import ConfigError

_SUFFIXES = ".py, .ini, .conf or .toml"


def read(
    path: Path,
    registry: Registry,
    environ: Mapping[str, str],
    module: str | None,
    secrets: Set[str],
) -> tuple[Layer, list[str]]:
    """Read a file by its suffix: what it gives, and what is wrong in it, one sentence each.

    ``module`` is the name that a Python file has as one of the application's, if it is one;
    ``secrets`` are masked where it fails.
    """
    try:
        match path.suffix:
            case ".py":
                return from_python(path, module, registry, secrets)
            case ".ini" | ".conf":
                return from_ini(path, registry, environ)
            case ".toml":
                return from_toml(path, registry)
            case _:
                return [], [f"{shown(path)}: the name must end in {_SUFFIXES}"]
    except ConfigError as error:
        return [], list(error.problems)


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
