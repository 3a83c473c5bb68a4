"""Values of an ini file: integers, floats, booleans, strings and lists, by the way they look."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import msgspec

Scalar = str | int | float | bool

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s+[;#].*)?', re.DOTALL)
_COMMENT = re.compile(r"\s[;#].*", re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_INTEGER = re.compile(r"-?[0-9]{1,4000}")
_FLOAT = re.compile(r"-?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?")


class Reading(msgspec.Struct, frozen=True):
    """Hold a typed value, the text it was read from, and the variables that went into it."""

    value: Scalar
    text: str
    variables: tuple[str, ...] = ()
    quoted: bool = False


def read(raw: str, here: str, environ: Mapping[str, str]) -> Reading:
    """Read one line of a value; ``here`` is the folder of its file.

    ``"…"`` is a string as it stands, where ``\\"`` and ``\\\\`` mean a quote and a backslash.
    Elsewhere ``%(here)s`` and ``${VARIABLE}`` are replaced, and what results is typed. Raises
    `ValueError` for a quote that is not closed and for a variable that is not set.
    """
    if raw.lstrip().startswith('"'):
        text = _unquoted(raw.strip())
        return Reading(text, text, quoted=True)
    bare = _COMMENT.sub("", raw, count=1).strip()
    variables = tuple(_VARIABLE.findall(bare))
    text = _VARIABLE.sub(lambda found: _variable(found[1], environ), bare.replace("%(here)s", here))
    return Reading(typed(text), text, variables)


def typed(text: str) -> Scalar:
    """Type a bare text: an integer, a float with a point, true or false, else the text itself."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return {"true": True, "false": False}.get(text.lower(), text)


def _unquoted(raw: str) -> str:
    found = _QUOTED.fullmatch(raw)
    if found is None:
        raise ValueError('what begins with " must end with one; write a quote inside as \\"')
    return _ESCAPE.sub(r"\1", found[1])


def _variable(name: str, environ: Mapping[str, str]) -> str:
    try:
        return environ[name]
    except KeyError:
        raise ValueError(f"the environment variable {name} is not set") from None
