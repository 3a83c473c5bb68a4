"""Annotations of fields: what they are made of, and how to say it to a person."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from buttress.config.secret import Secret

_LISTS = (list, tuple, set, frozenset, Sequence, Set)
_DICTS = (dict, Mapping)
_WORDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    timedelta: "a duration in seconds",
    Path: "a path",
    Secret: "text",
}


def members(annotation: object) -> tuple[object, ...]:
    """List the alternatives of an annotation, without ``None`` and without metadata."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return tuple(one for part in get_args(annotation) for one in members(part))
    return () if annotation in (None, type(None)) else (annotation,)


def is_optional(annotation: object) -> bool:
    """Tell whether ``None`` is one of the alternatives."""
    if get_origin(annotation) is Annotated:
        return is_optional(get_args(annotation)[0])
    return type(None) in get_args(annotation)


def is_list(member: object) -> bool:
    """Tell whether one alternative is a list, tuple or set."""
    return (get_origin(member) or member) in _LISTS


def is_dict(member: object) -> bool:
    """Tell whether one alternative is a mapping."""
    return (get_origin(member) or member) in _DICTS


def mentions(annotation: object, wanted: type) -> bool:
    """Tell whether a class occurs anywhere in an annotation."""
    return annotation is wanted or any(mentions(part, wanted) for part in get_args(annotation))


def metadata(annotation: object) -> tuple[Any, ...]:
    """Give what is attached to an annotation by ``Annotated``, inner metadata included."""
    if get_origin(annotation) is Annotated:
        return (*metadata(get_args(annotation)[0]), *annotation.__metadata__)  # type: ignore[attr-defined]  # only Annotated has it
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(one for part in get_args(annotation) for one in metadata(part))
    return ()


def choices(annotation: object) -> tuple[object, ...]:
    """List the values that an annotation admits one by one; empty where it is open."""
    found: list[object] = []
    for member in members(annotation):
        if get_origin(member) is Literal:
            found += get_args(member)
        elif isinstance(member, type) and issubclass(member, Enum):
            found += [item.value for item in member]
    return tuple(found)


def describe(annotation: object) -> str:
    """Say in words what an annotation expects.

    The ``title`` of a ``Meta`` that has a ``pattern`` says in words what that means.
    """
    named = [_word(member) for member in members(annotation) if get_origin(member) is not Literal]
    listed = choices(annotation)
    if listed:
        one_of = ", ".join(str(item) for item in listed)
        named = [f"one of {one_of}", *[word for word in named if word != "one of a list"]]
    words = " or ".join(dict.fromkeys(named)) + "".join(_limits(annotation))
    return f"{words}, or nothing" if is_optional(annotation) else words


def _word(member: object) -> str:
    if isinstance(member, type) and issubclass(member, Enum):
        return "one of a list"
    if is_list(member):
        return _list_word(member)
    if is_dict(member):
        return "a mapping"
    if isinstance(member, type) and issubclass(member, str):
        return "text"
    return _WORDS.get(member, getattr(member, "__name__", str(member)))


def _list_word(member: object) -> str:
    inner = [part for part in get_args(member)[:1] if part is not Ellipsis]
    return f"a list, each {describe(inner[0])}" if inner else "a list"


def _limits(annotation: object) -> Iterator[str]:
    metas = [one for one in metadata(annotation) if isinstance(one, msgspec.Meta)]
    for meta in metas:
        for name, words in _LIMITS:
            limit = getattr(meta, name)
            if limit is not None:
                yield f", {words.format(limit)}"
        if meta.pattern is not None:
            yield f", {meta.title or f'of the form {meta.pattern}'}"


_LIMITS = (
    ("ge", "at least {}"),
    ("gt", "more than {}"),
    ("le", "at most {}"),
    ("lt", "less than {}"),
    ("multiple_of", "a multiple of {}"),
    ("min_length", "at least {} long"),
    ("max_length", "at most {} long"),
)
