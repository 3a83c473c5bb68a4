"""Files that go with a mail."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable
from email.message import EmailMessage
from email.policy import SMTP
from os import PathLike
from pathlib import Path
from typing import cast

from msgspec import Struct, ValidationError, convert
from msgspec.structs import astuple

from buttress.errors import MailError
from buttress.mail.header import check_text, file_name

ANY_TYPE = "application/octet-stream"
#: Seven-bit lines only; whatever is not goes as base64 or quoted-printable.
PLAIN = SMTP.clone(cte_type="7bit")
#: Bytes of a name, as file systems have them, and characters of a type: lines that servers take.
LONGEST_NAME, LONGEST_TYPE = 255, 255

_CONTENT_TYPE = re.compile(
    r'[a-z0-9.+-]+/[a-z0-9.+-]+(?:; *[a-z0-9-]+=(?:[\w.+-]+|"[ !#-\[\]-~]*"))*',
    re.ASCII | re.IGNORECASE,
)


class Attachment(Struct, frozen=True):
    """Hold one file: its name, its content, and its type, by default guessed from the name."""

    name: str
    content: bytes
    content_type: str | None = None


#: What callers may give: a path, a name with a content and perhaps a type, or an `Attachment`.
Attached = Attachment | str | PathLike[str] | tuple[str, bytes] | tuple[str, bytes, str]


def read_attachments(given: Attached | Iterable[Attached] | None) -> tuple[Attachment, ...]:
    """Read what is to be attached. Raises `MailError` for a file that cannot be read."""
    if given is None:
        return ()
    several = [given] if _is_one(given) else cast(Iterable[object], given)
    return tuple(map(_attachment, several))


def part_of(attachment: Attachment) -> EmailMessage:
    """Make the part of the message that is this file."""
    part = EmailMessage(policy=PLAIN)
    part.set_content(attachment.content, "application", "octet-stream")
    part.replace_header("Content-Type", _type_of(attachment))
    del part["Content-Disposition"], part["MIME-Version"]
    part.set_raw("Content-Disposition", f"attachment;\r\n {file_name(attachment.name)}")
    return part


def _attachment(given: object) -> Attachment:
    made = _made(given)
    check_text(made.name, "attachments")
    if not made.name or {"/", "\\"} & set(made.name):
        raise MailError(f"attachments: {made.name!r} is no name of a file: give one without path.")
    if len(made.name.encode()) > LONGEST_NAME:
        raise MailError(f"attachments: the name {made.name[:40]!r}… is longer than 255 bytes.")
    return made


def _made(given: object) -> Attachment:
    if isinstance(given, str | PathLike):
        return _read(Path(given))
    parts = astuple(given) if isinstance(given, Attachment) else given
    if isinstance(parts, tuple) and len(parts) == 2:
        parts = (*parts, None)
    try:
        return Attachment(*convert(parts, tuple[str, bytes, str | None], builtin_types=(bytes,)))
    except ValidationError:
        raise MailError(
            f"attachments: a {type(given).__name__} is no file: give a path, (name, bytes), "
            "(name, bytes, content type) or an Attachment."
        ) from None


def _is_one(given: Attached | Iterable[Attached]) -> bool:
    """Tell a single attachment from a list of them."""
    named = isinstance(given, tuple) and len(given) > 1 and isinstance(given[1], bytes)
    return named or isinstance(given, str | PathLike | Attachment)


def _read(path: Path) -> Attachment:
    try:
        return Attachment(path.name, path.read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", error)
        raise MailError(f"attachments: cannot read {str(path)!r}: {why}.") from error


def _type_of(attachment: Attachment) -> str:
    """Give the content type; a mail inside a mail would have to go unencoded (RFC 2046)."""
    guessed, encoding = mimetypes.guess_type(attachment.name)
    found = attachment.content_type or (guessed if guessed and not encoding else ANY_TYPE)
    if not _CONTENT_TYPE.fullmatch(found) or len(found) > LONGEST_TYPE:
        raise MailError(
            f"attachments: {found!r} is no content type: write it as in 'text/csv; charset=utf-8'."
        )
    return ANY_TYPE if found.lower().startswith(("message/", "multipart/")) else found
