"""SQL texts with named parameters, in the form that the driver wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

#: Statements that are remembered in their driver's form.
REMEMBERED = 1024

#: What holds no parameters, then what is one. PostgreSQL's casts (``::``) and slices (``[1:2]``)
#: are none.
_TOKENS = r"""
      {literal} | `[^`]*`                            # literals and quoted names
    | (?<!\w)[eE]'(?:[^'\\]|''|\\.)*+'               # PostgreSQL's with escapes
    | --[^\n]*
    | /\*(?:[^*/]|\*(?!/)|/(?!\*)|(?>/\*.*?\*/))*+\*/  # comments, also one in another
    | /\*.*?\*/
    | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$   # PostgreSQL's dollar quotes
    | (?<![:\w\\]):(?P<colon>[^\W\d]\w*)
    | %\((?P<percent>[^\W\d]\w*)\)s
    | %+ | \\:
    """
#: A doubled quote is one literal after another here.
_LITERAL = r"""'[^']*' | "[^"]*\""""
#: As MySQL and MariaDB read them, with the comments that only they have.
_LITERAL_WITH_BACKSLASH = r"""'(?:[^'\\]|\\.)*+' | "(?:[^"\\]|\\.)*+\" | \#[^\n]*"""

Params = Mapping[str, Any]


class Statement(NamedTuple):
    """A statement in a driver's form, and the names of its parameters in their order."""

    sql: str
    names: tuple[str, ...]
    positional: bool

    def bound(self, params: Params | None) -> Params | Sequence[Any] | None:
        """Give the parameters in the driver's form; ``None`` for a statement without any.

        Raises `ValueError` where one is missing, and `TypeError` for parameters without names.
        """
        if params is None:
            params = {}
        elif not isinstance(params, Mapping):
            raise TypeError(f"params is {type(params).__name__}: write :name and give a dict.")
        if not self.names:
            return None
        missing = [name for name in self.names if name not in params]
        if missing:
            raise ValueError(
                f"The statement names :{missing[0]}, which params does not have: {self.sql}"
            )
        if self.positional:
            return tuple(params[name] for name in self.names)
        return params if isinstance(params, dict) else dict(params)  # PyMySQL knows no other


def translator(paramstyle: str, *, backslash: bool = False) -> Callable[[str], Statement]:
    """Give the function that translates texts for drivers of a style (PEP 249), with a memory.

    ``backslash`` says that one in a literal takes the meaning from what follows, as in MySQL.
    """
    placeholder = _PLACEHOLDERS[paramstyle]
    reads_percent = paramstyle in ("pyformat", "format")
    literal = _LITERAL_WITH_BACKSLASH if backslash else _LITERAL
    tokens = re.compile(_TOKENS.replace("{literal}", literal), re.VERBOSE | re.DOTALL)

    @lru_cache(REMEMBERED)
    def translate(sql: str) -> Statement:
        names: list[str] = []
        written = [found for found in tokens.finditer(sql) if found["percent"] or found["colon"]]
        written_so = any(found["percent"] for found in written)
        doubled = reads_percent and bool(written)  # a driver reads none where it gets no parameters

        def replaced(found: re.Match[str]) -> str:
            text = found.group()
            name = found["colon"] or found["percent"]
            if name:
                names.append(name)
                return placeholder.format(name=name, number=len(names))
            if text == "\\:":
                return ":"
            plain = text.replace("%%", "%") if written_so else text
            return plain.replace("%", "%%") if doubled else plain

        return Statement(tokens.sub(replaced, sql), tuple(names), "{name}" not in placeholder)

    return translate


_PLACEHOLDERS = {
    "pyformat": "%({name})s",
    "named": ":{name}",
    "qmark": "?",
    "format": "%s",
    "numeric": ":{number}",
}
