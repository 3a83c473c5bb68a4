"""Header fields of a mail, written as RFC 5322, 2047 and 2231 have them.

Python's own folding of long fields loses the quotes of names and encodes the commas between
addresses, so fields are written here, and only put into the message as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from email.header import Header
from typing import TYPE_CHECKING
from urllib.parse import quote

from buttress.errors import MailError

if TYPE_CHECKING:
    from buttress.mail.address import Mailbox

#: Characters of a line: what is good style, and the limit of RFC 5322 less a field's name.
GOOD, MOST = 76, 900
#: Controls, separators of lines and paragraphs, and halves of characters.
_REFUSED = frozenset({"Cc", "Zl", "Zp", "Cs"})
_ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*", re.ASCII)
FOLD = "\r\n "


def check_text(text: object, what: str) -> None:
    """Raise `MailError` where a value cannot stand in a header; ``what`` names it."""
    if not isinstance(text, str):
        raise MailError(f"{what}={text!r} must be a text.")
    if any(unicodedata.category(character) in _REFUSED for character in text):
        raise MailError(f"{what}={text!r} holds a newline or another control character.")


def phrase(text: str, name: str) -> str:
    """Write the text of a field such as ``Subject``, folded."""
    if _is_plain(text):
        return _folded(text, GOOD - len(name))
    return Header(text, "utf-8", header_name=name).encode(linesep="\r\n")


def address_list(boxes: Iterable[Mailbox]) -> str:
    """Write the mailboxes of a field, each on a line of its own."""
    return f",{FOLD}".join(_written(box) for box in boxes)


def file_name(name: str) -> str:
    """Write the parameter ``filename`` of an attachment."""
    if name.isascii() and len(name) < GOOD:
        return f'filename="{_escaped(name)}"'
    return f"filename*=utf-8''{quote(name, safe='')}"


def _written(box: Mailbox) -> str:
    if not box.name:
        return box.address
    return f"{_display(box.name)} <{box.address}>"


def _display(name: str) -> str:
    if not name.isascii() or "=?" in name or len(name) > GOOD:
        return Header(name, "utf-8", maxlinelen=GOOD).encode(linesep="\r\n")
    return name if _ATOMS.fullmatch(name) else f'"{_escaped(name)}"'


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def _is_plain(text: str) -> bool:
    """Tell whether a text needs no encoding: a reader takes ``=?`` for the start of some."""
    words = re.split(r"(?<! ) ", text)
    return (
        text.isascii()
        and "=?" not in text
        and text == text.strip(" ")
        and max(map(len, words)) < MOST
    )


def _folded(text: str, first: int) -> str:
    """Break a text before single spaces, which stay; a line of nothing but spaces is none."""
    lines, width = [""], first
    for word in re.split(r"(?<=[^ ])(?= [^ ])", text):
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines.append("")
            width = GOOD
        lines[-1] += word
    return "\r\n".join(lines)
