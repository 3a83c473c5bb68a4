"""Addresses of mailboxes: read strictly, so that nobody's text becomes another header or recipient.

The sources are RFC 5321 and 5322, RFC 6531 for local parts beyond ASCII, and RFC 5890 for domains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.headerregistry import Address
from typing import cast

from msgspec import Struct

from buttress.errors import MailError
from buttress.mail.header import check_text

#: One mailbox, as callers write it: ``ann@shop.example`` or ``Ann <ann@shop.example>``.
Written = str | Address
Recipients = Written | Iterable[Written]

_NAMED = re.compile(r'(?P<name>"(?:[^"\\]|\\.)*" *|[^<>"@,;]*)<(?P<address>[^<>]*)>')
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*"
)
#: Letters that the two editions of IDNA turn into different domains.
_DEVIANT = re.compile("[ßς\u200c\u200d]")
LONGEST_LOCAL = 64


class Mailbox(Struct, frozen=True):
    """Hold one mailbox: a display name, which may be empty, and an address.

    The domain of the address is in ASCII; the local part may be beyond.
    """

    name: str
    address: str

    @property
    def domain(self) -> str:
        """Give what stands after the ``@``."""
        return self.address.rpartition("@")[2]


def mailboxes(written: Recipients | None, what: str) -> tuple[Mailbox, ...]:
    """Read one mailbox or several; ``what`` names the argument that they come from.

    A text is one mailbox, never a list: a comma in what a visitor typed adds no recipient.
    Raises `MailError` for one that is none.
    """
    if written is None:
        return ()
    several = isinstance(written, Iterable) and not isinstance(written, str)
    listed = cast(Iterable[object], written) if several else [written]
    return tuple(mailbox(one, what) for one in listed)


def mailbox(written: object, what: str) -> Mailbox:
    """Read one mailbox. Raises `MailError` for one that is none."""
    if isinstance(written, Address):
        name, address = written.display_name, f"{written.username}@{written.domain}"
    elif isinstance(written, str):
        name, address = _parts(written.strip(" "))
    else:
        raise MailError(f"{what}={written!r} is no address: write 'ann@shop.example'.")
    check_text(name, what)
    check_text(address, what)
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local.encode()) > LONGEST_LOCAL:
        raise MailError(_no_address(what, written))
    return Mailbox(name, f"{local}@{_ascii(domain, what, written)}")


def _parts(text: str) -> tuple[str, str]:
    named = _NAMED.fullmatch(text)
    if named is None:
        return "", text
    name = named["name"].strip(" ")
    if name.startswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, named["address"].strip(" ")


def _ascii(domain: str, what: str, written: object) -> str:
    if _DEVIANT.search(domain):
        raise MailError(
            f"{what}: the domain of {str(written)!r} means two things, by the edition of IDNA: "
            "write it in ASCII, as 'xn--…'."
        )
    try:
        known = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        known = ""
    if not _DOMAIN.fullmatch(known):
        raise MailError(_no_address(what, written))
    return known


def _no_address(what: str, written: object) -> str:
    return (
        f"{what}={str(written)!r} is no address: write 'ann@shop.example' or "
        "'Ann <ann@shop.example>', and a list for several."
    )
