"""Status and headers of answers: what PEP 3333 and RFC 9110 allow in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from buttress.serving.known import Known

Header: TypeAlias = tuple[str, str]
Headers: TypeAlias = list[Header]

#: What concerns the connection: its framing, and hop-by-hop headers (RFC 9110, 7.6.1).
CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: Headers whose values are secret, or of one answer only.
FLEETING = frozenset({"date", "etag", "last-modified", "location", "set-cookie", "x-request-id"})

_NOT_IN_NAMES = re.compile(r"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")
_BREAKS = re.compile(r"[\r\n\0]")
_NOT_IN_LATIN_1 = re.compile(r"[^\0-\xff]")

#: Headers that are valid, of ASCII, and not the connection's: most answers have the same few.
known_headers: Known[Header] = Known()


def check_header(header: Header) -> str:
    """Check a header, and give its name in lower case. Raises `ValueError` where it is invalid."""
    name, value = header
    lower = lowered(name)
    check_value(name, value)
    if lower == "content-length":
        length_of(value)
    if value.isascii() and lower not in CONNECTION and lower not in FLEETING:
        known_headers.note(header, value)
    return lower


def check_headers(headers: Headers) -> None:
    """Check the headers of an answer. Raises `ValueError` where one is invalid."""
    for header in headers:
        if header not in known_headers:
            check_header(header)


@lru_cache(maxsize=256)
def check_status(status: str) -> int:
    """Check a status line, and give its code.

    Raises `ValueError` for what is no final status (RFC 9110, 15); granian would end the process.
    """
    code = status.partition(" ")[0]
    if len(code) == 3 and code.isascii() and code.isdecimal() and code >= "200":
        return int(code)
    raise ValueError(f"{status!r} is no status of an answer: it must be from 200 to 999.")


@lru_cache(maxsize=1024)
def lowered(name: str) -> str:
    """Give the name of a header in lower case. Raises `ValueError` where it is no token."""
    if not name or _NOT_IN_NAMES.search(name):
        raise ValueError(f"The response header {name!r} has no valid name.")
    return name.lower()


def check_value(name: str, value: str) -> None:
    """Raise `ValueError` for a value that a header cannot carry.

    A line break would end it early (RFC 9110, 5.5); WSGI has Latin-1 only (PEP 3333).
    """
    if value.isascii() and value.isprintable():
        return
    if _BREAKS.search(value):
        raise ValueError(f"The response header {name} has a line break or NUL in its value.")
    if _NOT_IN_LATIN_1.search(value):
        raise ValueError(f"The response header {name} has characters beyond Latin-1 in its value.")


@lru_cache(maxsize=1024)
def length_of(value: str) -> int:
    """Give the length that ``Content-Length`` says. Raises `ValueError` for other than digits."""
    if value.isascii() and value.isdecimal():
        return int(value)
    raise ValueError(f"The response header Content-Length is no number: {value!r}.")


def without(headers: Iterable[Header], name: str) -> Headers:
    """Give headers without those of a name, which is in lower case."""
    return [header for header in headers if header[0].lower() != name]


def as_text(value: str) -> str:
    """Turn the bytes that WSGI carries as Latin-1 into the text that granian writes as UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
