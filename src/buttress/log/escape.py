"""Text that stays inside its line, whatever request data it holds."""

from __future__ import annotations

import re

#: Control characters (C0, DEL, C1), separators of lines, marks that turn the direction of text,
#: and lone surrogates, which no encoding can write.
_unsafe = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
INDENT = "    "


def escape(text: str) -> str:
    r"""Write whatever could end a line or steer a terminal as an escape, such as ``\n``.

    >>> escape("in\r\nout")
    'in\\r\\nout'
    """
    if text.isascii() and text.isprintable():
        return text
    return _unsafe.sub(_escaped, text)


def escape_json(line: str) -> str:
    r"""Do the same inside a line of JSON, where such an escape is ``\u0085``."""
    if line.isascii():
        return line.replace("\x7f", "\\u007f") if "\x7f" in line else line
    return _unsafe.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def indent(text: str) -> str:
    """Escape each line and move it to the right, so that none looks like a record."""
    return "\n".join(INDENT + escape(line) for line in text.rstrip("\n").split("\n"))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
