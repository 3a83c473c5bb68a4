"""The registry: every declared key, its aliases, and the nearest to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from buttress.config.annotation import mentions, metadata
from buttress.config.secret import Secret
from buttress.config.section import Key, SectionSpec
from buttress.errors import ConfigError

NEAR = 0.8
"""How alike two names are (0 to 1) when the one must be a slip for the other."""

LIKELY = 0.7
"""How alike they are when the one is worth suggesting."""


class Field(msgspec.Struct, frozen=True):
    """Describe one declared setting: ``key`` in the sources, ``section.name`` in the tree."""

    key: str
    section: str
    name: str
    annotation: object
    info: msgspec.structs.FieldInfo
    aliases: tuple[str, ...]
    description: str
    secret: bool
    min_length: int

    @property
    def required(self) -> bool:
        """Tell whether the field has no default."""
        return self.info.required

    def default(self) -> object:
        """Make the default value."""
        factory = self.info.default_factory
        return self.info.default if factory is msgspec.NODEFAULT else factory()


class Registry:
    """Know every key that the sections of one application declare.

    ``reserves`` are prefixes of keys that belong to third-party libraries and pass through.
    Raises `ConfigError` when two sections declare one name.
    """

    def __init__(self, specs: Iterable[SectionSpec], reserves: Sequence[str] = ()) -> None:
        self.specs = {spec.name: spec for spec in specs}
        self.reserves = tuple(reserves)
        self.fields: dict[str, Field] = {}
        self._canonical: dict[str, str] = {}
        self._prefixes = tuple(s.key_prefix for s in self.specs.values() if s.key_prefix)
        for spec in self.specs.values():
            for field in _fields(spec):
                self._add(field)

    def _add(self, field: Field) -> None:
        for name in (field.key, *field.aliases):
            other = self._canonical.setdefault(name, field.key)
            if other != field.key or (name == field.key and name in self.fields):
                taken = self.fields[other].section
                raise ConfigError(
                    [f"the setting {name} is declared by the sections {taken} and {field.section}"]
                )
        self.fields[field.key] = field

    def declared(self, key: str) -> Field | None:
        """Find the field of a key, or ``None``; an alias is not a key."""
        return self.fields.get(key)

    def canonical(self, name: str) -> str | None:
        """Give the key that a name stands for, through the aliases, or ``None``."""
        return self._canonical.get(name)

    def field(self, name: str) -> Field | None:
        """Find the field that a name stands for, through the aliases, or ``None``."""
        return self.fields.get(self._canonical.get(name, ""))

    def of_section(self, section: str) -> Iterator[Field]:
        """Iterate over the fields of one section, as declared."""
        return (field for field in self.fields.values() if field.section == section)

    def key_in(self, section: str, option: str) -> str:
        """Give the key that an option of a section stands for, whether it is declared or not.

        A section that nobody declares prefixes the option with its own name; one that is declared
        does so where the option has not got the prefix yet.
        """
        word = _upper(option)
        spec = self.specs.get(_upper(section).lower())
        if spec is None:
            return f"{_upper(section)}_{word}"
        named = {field.name.upper(): field.key for field in self.of_section(spec.name)}
        field = self.field(word)
        whole = field is not None and field.section == spec.name
        own = word if whole or word.startswith(spec.key_prefix) else spec.key_prefix + word
        return named.get(word, own)

    def owns_section(self, name: str) -> bool:
        """Tell whether a section of this name is declared."""
        return _upper(name).lower() in self.specs

    def owns_prefix(self, name: str) -> bool:
        """Tell whether a name begins as the keys of a declared section do."""
        return name.startswith(self._prefixes)

    def reserved(self, name: str) -> bool:
        """Tell whether a name belongs to a third-party library."""
        return name.startswith(self.reserves)

    def nearest(self, name: str, cutoff: float = LIKELY) -> str | None:
        """Find the declared key that a misspelt name most resembles, or ``None``."""
        found = nearest(name, self._canonical, cutoff)
        return None if found is None else self._canonical[found]


def nearest(name: str, known: Iterable[str], cutoff: float = LIKELY) -> str | None:
    """Find the known name that another most resembles, or ``None``."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(known), 1, cutoff)), None)


def hint(found: str | None) -> str:
    """Word a suggestion, empty when there is none."""
    return f"; did you mean {found}?" if found else ""


def _upper(name: str) -> str:
    return name.upper().replace("-", "_").replace(".", "_")


def _fields(spec: SectionSpec) -> Iterator[Field]:
    for info in msgspec.structs.fields(spec.type):
        attached = metadata(info.type)
        key = next((one for one in attached if isinstance(one, Key)), Key())
        said = [one.description for one in attached if isinstance(one, msgspec.Meta)]
        yield Field(
            key=key.name or f"{spec.key_prefix}{info.name.upper()}",
            section=spec.name,
            name=info.name,
            annotation=info.type,
            info=info,
            aliases=key.aliases,
            description=next((text for text in said if text), ""),
            secret=mentions(info.type, Secret),
            min_length=key.min_length,
        )
