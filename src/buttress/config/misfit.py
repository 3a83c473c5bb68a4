"""Misfits: the innermost part of a wrong value, so that a sentence can name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, get_args

import msgspec

from buttress.config.annotation import is_dict, is_list, members
from buttress.config.cast import fits
from buttress.config.secret import display, inner_key


class Part(msgspec.Struct, frozen=True):
    """Hold a value, or what is somewhere inside one.

    ``place`` says where, as in ``LOG_LEVELS['shop']``; ``key`` is the name that decides whether
    the value may be shown.
    """

    place: str
    key: str
    value: Any
    annotation: object


def misfit(part: Part) -> Part:
    """Find the innermost part that does not fit its annotation, in a part that does not."""
    wrong = (one for one in _parts(part) if not fits(one.value, one.annotation))
    found = next(wrong, None)
    return part if found is None else misfit(found)


def _parts(part: Part) -> Iterator[Part]:
    for member in members(part.annotation):
        if isinstance(part.value, Mapping):
            if is_dict(member):
                yield from _entries(part, get_args(member))
            elif isinstance(member, type) and issubclass(member, msgspec.Struct):
                yield from _fields(part, member)
        elif is_list(member) and isinstance(part.value, (list, tuple, set, frozenset)):
            yield from _items(part, get_args(member))


def _entries(part: Part, annotations: Sequence[object]) -> Iterator[Part]:
    name_kind, kind = annotations or (Any, Any)
    for name, value in part.value.items():
        yield Part(f"a key of {part.place}", part.key, name, name_kind)
        place = f"{part.place}[{display('', name)}]"
        yield Part(place, inner_key(part.key, name), value, kind)


def _fields(part: Part, struct: type[msgspec.Struct]) -> Iterator[Part]:
    for field in msgspec.structs.fields(struct):
        name = field.encode_name
        if name in part.value:
            key = inner_key(part.key, name)
            yield Part(f"{part.place}.{name}", key, part.value[name], field.type)


def _items(part: Part, annotations: Sequence[object]) -> Iterator[Part]:
    several = len(annotations) > 1 and annotations[1] is not Ellipsis
    kinds = annotations if several else repeat(annotations[0] if annotations else Any)
    for index, (value, kind) in enumerate(zip(part.value, kinds, strict=False)):
        yield Part(f"{part.place}[{index}]", part.key, value, kind)
