"""Filters of searches (RFC 4515) with places to fill in."""

from __future__ import annotations

import re

NAME, DN = "{name}", "{dn}"
#: A comparison with a name: the attribute is what people log in with.
_COMPARED = re.compile(r"\(\s*([A-Za-z][A-Za-z0-9-]*)\s*=\{name\}\)")
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def escaped(text: str) -> str:
    """Write a text so that it stands for itself and nothing else.

    More than RFC 4515, 3 asks for is escaped, so that no reader of filters can trip over it.
    """
    return "".join(chr(it) if it in _PLAIN else f"\\{it:02x}" for it in text.encode())


class NameFilter:
    """Find people by what they log in with. Raises `ValueError` for a filter that cannot."""

    def __init__(self, text: str) -> None:
        #: The attributes that hold a name; the first has the one that a user is known by.
        self.attributes = tuple(dict.fromkeys(_COMPARED.findall(text)))
        self._text = text
        rest = _COMPARED.sub("()", text)
        if not self.attributes or NAME in rest or DN in rest or not is_balanced(text):
            raise ValueError(
                f"must be a filter that compares attributes with {NAME}, such as (uid={NAME}) or "
                f"(|(uid={NAME})(mail={NAME}))"
            )

    def of(self, name: str) -> str:
        """Give the filter that finds this name."""
        return self._text.replace(NAME, escaped(name))

    def of_all(self) -> str:
        """Give the filter that finds everybody with a name."""
        return self._text.replace(NAME, "*")


def is_balanced(text: str) -> bool:
    """Tell whether a filter begins, ends and nests its brackets as it must."""
    depth = [text[:at].count("(") - text[:at].count(")") for at in range(1, len(text))]
    ends = text.startswith("(") and text.endswith(")")
    return ends and text.count("(") == text.count(")") and all(it > 0 for it in depth)
