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
from buttress.config.cast import cast
from buttress.config.given import Given, Layer
from buttress.config.misfit import Part, misfit
from buttress.config.registry import Field, Registry, hint, nearest
from buttress.config.secret import Secret, display, secrets_in

_TEXTS = (str, Path, Secret)
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
        raise ValueError(f"{given.origin}: {_fault(given, field)}") from None


def _converted(given: Given, field: Field) -> object:
    if isinstance(given.value, str):
        return from_text(given.value, field.annotation)
    if given.text is None:
        return cast(given.value, field.annotation)
    try:
        return cast(given.value, field.annotation)
    except msgspec.ValidationError:
        return from_text(given.text, field.annotation)


def from_text(text: str | tuple[str, ...], annotation: object) -> object:
    """Read a text as the annotation wants it.

    A list is separated by commas, else by whitespace, or is JSON, as a mapping always is; yes,
    no, on, off, 1 and 0 are booleans; durations are seconds.
    """
    if not isinstance(text, str):
        return cast(list(text), annotation)
    return cast(_reading(text, annotation), annotation)


def _reading(text: str, annotation: object) -> object:
    kinds = members(annotation)
    bare = text.strip()
    textual = any(isinstance(kind, type) and issubclass(kind, _TEXTS) for kind in kinds)
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


def secret_texts(layer: Layer, registry: Registry) -> set[str]:
    """Collect the texts of the secrets that a layer gives."""
    texts = set()
    for given in layer:
        field = registry.field(given.name)
        if field is not None and field.secret:
            texts |= _texts(given, field)
    return texts


def _texts(given: Given, field: Field) -> set[str]:
    whole = {given.value} if isinstance(given.value, str) else set()
    try:
        return whole | {one.reveal() for one in secrets_in(convert(given, field))}
    except ValueError:
        return whole


def _fault(given: Given, field: Field) -> str:
    expected = describe(field.annotation)
    if field.secret:
        return f"{field.key} must be {expected} (what is there is not shown)"
    try:
        value = _untyped(given, field.annotation)
    except (msgspec.DecodeError, ValueError) as error:
        return f"{field.key} is not valid JSON: {str(error).removeprefix('JSON is malformed: ')}"
    whole = Part(field.key, field.key, value, field.annotation)
    part = misfit(whole)
    if part is whole and not isinstance(given.value, str):
        value = given.value
    return _sentence(part, value if part is whole else part.value)


def _untyped(given: Given, annotation: object) -> object:
    """Give what the text of a value holds, else the value itself."""
    text = given.value if isinstance(given.value, str) else given.text
    if isinstance(text, str):
        return _reading(text, annotation)
    return given.value if text is None else list(text)


def _sentence(part: Part, value: object) -> str:
    options = [str(choice) for choice in choices(part.annotation)]
    guess = hint(nearest(value, options, 0.6)) if isinstance(value, str) else ""
    expected = describe(part.annotation)
    return f"{part.place} is {display(part.key, value)}, but must be {expected}{guess}"


def like(text: str, known: object) -> object:
    """Read a text as the type of a value that is known from a weaker source.

    Raises `ValueError` when it cannot be read so.
    """
    if isinstance(known, Secret):
        return Secret(text)
    wanted = next((kind for kind in _KINDS if isinstance(known, kind)), None)
    if wanted is None:
        return text
    try:
        return from_text(text, wanted)
    except (msgspec.MsgspecError, ValueError):
        raise ValueError(f"must be {describe(wanted)}") from None
