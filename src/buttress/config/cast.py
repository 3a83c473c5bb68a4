"""Casting of one value to an annotation, as leniently as settings are written."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from buttress.config.secret import Secret, walk


def cast(value: object, annotation: object) -> object:
    """Cast a value to what an annotation wants; a number must be finite.

    Raises `ValueError` or `msgspec.ValidationError` when it does not fit.
    """
    made: object = msgspec.convert(value, annotation, strict=False, dec_hook=_hook)
    walk(made, _finite)
    return made


def fits(value: object, annotation: object) -> bool:
    """Tell whether a value can be cast to an annotation."""
    try:
        cast(value, annotation)
    except (msgspec.ValidationError, ValueError):
        return False
    return True


def _finite(_key: str, leaf: object) -> object:
    if isinstance(leaf, float) and not math.isfinite(leaf):
        raise ValueError
    return leaf


def _hook(wanted: type, value: object) -> object:
    if issubclass(wanted, Secret) and isinstance(value, (str, bytes)):
        return wanted(value.decode() if isinstance(value, bytes) else value)
    if issubclass(wanted, Path) and isinstance(value, str):
        return wanted(value)
    if isinstance(value, wanted):
        return value
    raise ValueError
