"""The ini grammar: sections, typed values, files that extend others, overrides for a host.

::

    [DEFAULT]
    extends = common.ini        ; more files on lines of their own, indented

    [storage]
    sqluri = sqlite:///%(here)s/data.db
    pool_size = 20
    servers =
        127.0.0.1:11211
        ${SECOND_SERVER}

    [host:node0]
    storage.sqluri = sqlite:///node0.db

Keys are lower-cased; ``=`` or ``:`` separates; ``#`` and ``;`` begin a comment, at the start of a
line or after a space. A section that is written twice is one section; a key that is written twice
with different values is an error, since one of the two is surely a slip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from buttress.config import inivalue
from buttress.config.given import shown
from buttress.config.inifile import Line, Lines, parse

DEFAULT = "DEFAULT"
HOST = "host:"


class Entry(msgspec.Struct, frozen=True):
    """Hold one option: its typed value, the text of it, and where it is written."""

    value: object
    text: str | tuple[str, ...]
    origin: str
    variables: tuple[str, ...] = ()


Entries = dict[str, dict[str, Entry]]


def read(path: Path, environ: Mapping[str, str]) -> tuple[Entries, list[str]]:
    """Read a file and those that it extends into sections of typed options, and its mistakes.

    What an extended file says is added and never overrides; of two extended files the one named
    first wins. Its ``[DEFAULT]`` stays its own: only the defaults of the file that is read apply,
    and only to sections that it writes itself.
    """
    family = _Family(environ)
    merged = family.merged(path, ())
    entries = {
        section: {
            key: entry
            for key, line in lines.items()
            if (entry := family.entry(line, f"[{section}] {key}")) is not None
        }
        for section, lines in merged.items()
        if section != DEFAULT
    }
    return entries, family.problems


class _Family:
    """Read a file and its relations, each once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []
        self._done: dict[Path, Lines] = {}

    def merged(self, path: Path, chain: tuple[Path, ...]) -> Lines:
        """Parse one file and add what it extends; ``chain`` leads to it."""
        real = path.resolve()
        if real not in self._done:
            own, problems = parse(path)
            self.problems += problems
            self._done[real] = self._extended(own, (*chain, real))
        return self._done[real]

    def _extended(self, own: Lines, chain: tuple[Path, ...]) -> Lines:
        defaults = own.pop(DEFAULT, {})
        extends = defaults.pop("extends", None)
        if len(chain) == 1:
            _apply(defaults, own)
        for parent in self._parents(extends, chain) if extends else ():
            for section, lines in self.merged(parent, chain).items():
                for key, line in lines.items():
                    own.setdefault(section, {}).setdefault(key, line)
        return own

    def _parents(self, extends: Line, chain: tuple[Path, ...]) -> Iterator[Path]:
        entry = self.entry(extends, "extends")
        names = () if entry is None else entry.text
        for name in (names,) if isinstance(names, str) else names:
            parent = extends.path.parent / name
            wrong = _unfit(name, parent, chain)
            if wrong is None:
                yield parent
            else:
                self.problems.append(f"{extends.origin}: {wrong}")

    def entry(self, line: Line, label: str) -> Entry | None:
        """Type one option; several lines make a list, from which the empty ones are dropped."""
        readings = []
        here = str(line.path.absolute().parent)
        for number, row in line.rows:
            try:
                readings.append(inivalue.read(row, here, self.environ))
            except ValueError as error:
                self.problems.append(f"{shown(line.path)}:{number}: {label}: {error}")
                return None
        variables = tuple(name for one in readings for name in one.variables)
        if not line.rest:
            return Entry(readings[0].value, readings[0].text, line.origin, variables)
        kept = [one for one in readings if one.text or one.quoted]
        texts = tuple(one.text for one in kept)
        return Entry([one.value for one in kept], texts, line.origin, variables)


def _apply(defaults: Mapping[str, Line], own: Lines) -> None:
    for section, lines in own.items():
        if not section.startswith(HOST):
            own[section] = {**lines, **{k: v for k, v in defaults.items() if k not in lines}}


def _unfit(name: str, parent: Path, chain: tuple[Path, ...]) -> str | None:
    real = parent.resolve()
    if real in chain:
        circle = " → ".join(shown(link) for link in (*chain[chain.index(real) :], real))
        return f"extends goes round in a circle: {circle}"
    return None if parent.is_file() else f"extends {name}, but there is no file {shown(parent)}"
