"""Conversion of values to the types that their fields declare."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec

from buttress.config.annotation import (
    choices,
    describe,
    is_dict,
    is_list,
    is_optional,
    members,
)
from buttress.config.given import Given
from buttress.config.registry import Field, hint, nearest
from buttress.config.secret import Secret, display

_KINDS = (bool, int, float, list, tuple, dict, timedelta, Path)
TRUTH: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


def convert(given: Given, field: Field) -> object:
    """Convert what a source gave to the type of its field.

    Raises `ValueError` with a sentence that names the key, the origin and what is expected; the
    value of a secret is never in it.
    """
    try:
        return _converted(given, field)
    except (msgspec.MsgspecError, ValueError):
        raise ValueError(_sentence(given, field)) from None


def _converted(given: Given, field: Field) -> object:
    if isinstance(given.value, str):
        return from_text(given.value, field.annotation)
    if given.text is None:
        return _typed(given.value, field.annotation)
    try:
        return _typed(given.value, field.annotation)
    except msgspec.ValidationError:
        return from_text(given.text, field.annotation)


def from_text(text: str | tuple[str, ...], annotation: object) -> object:
    """Read a text as the annotation wants it.

    A list is separated by commas, else by whitespace, or is JSON, as a mapping always is; yes,
    no, on, off, 1 and 0 are booleans; durations are seconds.
    """
    if not isinstance(text, str):
        return _typed(list(text), annotation)
    return _typed(_reading(text, annotation), annotation)


def _reading(text: str, annotation: object) -> object:
    kinds = members(annotation)
    bare = text.strip()
    textual = any(isinstance(kind, type) and issubclass(kind, (str, Path)) for kind in kinds)
    structured = any(is_list(kind) or is_dict(kind) for kind in kinds)
    if bare[:1] in ("[", "{") and (structured or not textual):
        return msgspec.json.decode(bare)
    if textual:
        return text
    if not bare and is_optional(annotation):
        return None
    if bool in kinds and bare.lower() in TRUTH:
        return TRUTH[bare.lower()]
    return _items(bare) if any(map(is_list, kinds)) else bare


def _items(text: str) -> list[str]:
    pieces = text.split(",") if "," in text else re.split(r"\s+", text)
    return [piece.strip() for piece in pieces if piece.strip()]


def _typed(value: object, annotation: object) -> object:
    return msgspec.convert(value, annotation, strict=False, dec_hook=_hook)


def _hook(wanted: type, value: object) -> object:
    if issubclass(wanted, Secret) and isinstance(value, (str, bytes)):
        return wanted(value.decode() if isinstance(value, bytes) else value)
    if issubclass(wanted, Path) and isinstance(value, str):
        return wanted(value)
    if isinstance(value, wanted):
        return value
    raise ValueError


def _sentence(given: Given, field: Field) -> str:
    expected = describe(field.annotation)
    if field.secret:
        return f"{given.origin}: {field.key} must be {expected} (what is there is not shown)"
    options = [str(choice) for choice in choices(field.annotation)]
    guess = hint(nearest(given.value, options, 0.6)) if isinstance(given.value, str) else ""
    return (
        f"{given.origin}: {field.key} is {display(field.key, given.value)}, "
        f"but must be {expected}{guess}"
    )


def like(text: str, known: object) -> object:
    """Read a text as the type of a value that is known from a weaker source.

    Raises `ValueError` when it cannot be read so.
    """
    wanted = next((kind for kind in _KINDS if isinstance(known, kind)), None)
    if wanted is None:
        return text
    try:
        return from_text(text, wanted)
    except msgspec.MsgspecError:
        raise ValueError(f"must be {describe(wanted)}") from None
