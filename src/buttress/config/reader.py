"""`Config`: an ini file read on its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from buttress.config import ini
from buttress.config.given import shown
from buttress.config.registry import hint, nearest
from buttress.config.vault import VAULT
from buttress.errors import ConfigError, NoSuchOption

_NOTHING = object()

Sections = Mapping[str, Mapping[str, object]]


class Config:
    """Read an ini file; the grammar is that of `buttress.config.ini`.

    Raises `ConfigError` when the file is missing or wrong. An instance never changes.
    """

    __slots__ = ("_overrides", "_sections", "path")

    def __init__(
        self, path: str | os.PathLike[str], *, environ: Mapping[str, str] | None = None
    ) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise ConfigError([f"there is no configuration file {shown(self.path)}"])
        variables = VAULT.over(os.environ) if environ is None else environ
        entries, problems = ini.read(self.path, variables)
        if problems:
            raise ConfigError(problems)
        values = {name: {key: e.value for key, e in got.items()} for name, got in entries.items()}
        self._sections: Sections = {k: v for k, v in values.items() if not k.startswith(ini.HOST)}
        self._overrides: Sections = {k: v for k, v in values.items() if k.startswith(ini.HOST)}

    def sections(self) -> list[str]:
        """List the sections in the order of the file, without defaults and overrides."""
        return list(self._sections)

    def items(self, section: str) -> list[tuple[str, object]]:
        """List the options of a section with their typed values."""
        return list(self[section].items())

    def get(self, section: str, key: str, default: object = _NOTHING) -> object:
        """Give the typed value of an option; raises `NoSuchOption` when there is no default."""
        options = self._sections.get(section, {})
        if key.lower() in options:
            return options[key.lower()]
        if default is not _NOTHING:
            return default
        known = self[section]
        raise NoSuchOption(
            f"[{section}] of {shown(self.path)} has no option {key!r}{hint(nearest(key, known))}"
        )

    def __getitem__(self, section: str) -> Mapping[str, object]:
        if section not in self._sections:
            guess = hint(nearest(section, self._sections))
            raise NoSuchOption(f"{shown(self.path)} has no section [{section}]{guess}")
        return MappingProxyType(dict(self._sections[section]))

    def __contains__(self, section: object) -> bool:
        return section in self._sections

    def overrides(self) -> list[str]:
        """List the sections that override others, such as ``host:node0``."""
        return list(self._overrides)

    def merge(self, *names: str) -> Config:
        """Give a view with these overrides applied, the last one strongest.

        An override is written ``section.option``, one without a dot is ignored, and so is a name
        that the file does not have.
        """
        merged = {section: dict(options) for section, options in self._sections.items()}
        for name in names:
            for key, value in self._overrides.get(name, {}).items():
                section, dot, option = key.partition(".")
                if dot:
                    merged.setdefault(section, {})[option] = value
        view = object.__new__(type(self))
        view.path, view._sections, view._overrides = self.path, merged, self._overrides
        return view
