"""Sections: typed settings, declared beside what they configure."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Any, dataclass_transform

import msgspec

SECRET_BYTES = 32


class _SectionMeta(msgspec.StructMeta):
    """Make every section immutable and keyword-only, which a plain struct does not hand down."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> _SectionMeta:
        options = {"frozen": True, "kw_only": True, **options}
        return super().__new__(cls, name, bases, namespace, **options)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Section(msgspec.Struct, metaclass=_SectionMeta, frozen=True, kw_only=True):
    """Declare the settings of one part of a service.

    Each field is ``Annotated[type, msgspec.Meta(description=...)] = default``; a `Key` beside
    ``Meta`` changes how it is called. A field without default must be configured.
    """

    def problems(self) -> Iterable[str]:
        """Name what is wrong between fields, one sentence each; none by default."""
        return ()


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """Say how one field is called in the sources.

    ``name`` replaces the key made of the section's prefix and the field's name; ``aliases`` are
    other spellings of it. ``min_length`` is for secrets, in bytes: 0 exempts one that others
    choose, such as the password of a database.
    """

    name: str | None = None
    aliases: tuple[str, ...] = ()
    min_length: int = SECRET_BYTES


class SectionSpec(msgspec.Struct, frozen=True):
    """Register a section under a name; its keys begin with ``prefix``, by default ``<NAME>_``."""

    name: str
    type: builtins.type[Section]
    prefix: str | None = None

    @property
    def key_prefix(self) -> str:
        """Give what the keys of this section begin with."""
        return f"{self.name.upper()}_" if self.prefix is None else self.prefix
