"""A mail as it goes out: the message, and the envelope that it goes in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, default
from email.utils import format_datetime, make_msgid

from msgspec import Struct

from buttress.errors import MailError
from buttress.mail.address import Mailbox
from buttress.mail.attachment import PLAIN, Attachment, part_of
from buttress.mail.header import address_list, check_text, phrase

_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_OURS = re.compile(
    r"(?:resent-)?(?:from|sender|to|cc|bcc|date|message-id|reply-to)|subject|return-path|received"
    r"|mime-version|content-.*",
    re.IGNORECASE,
)


class Draft(Struct, frozen=True, kw_only=True):
    """Hold what a mail is made of, its mailboxes and files read already."""

    sender: Mailbox
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, str] = {}


class Envelope(Struct, frozen=True):
    """Hold a mail that is ready: from whom, to whom, and the message itself.

    The recipients are those of ``To``, ``Cc`` and ``Bcc``, each once; the last are in no header.
    ``utf8`` tells whether an address needs SMTPUTF8 (RFC 6531).
    """

    sender: str
    recipients: tuple[str, ...]
    message_id: str
    content: bytes
    utf8: bool = False

    @property
    def message(self) -> EmailMessage:
        """Read the message back, as a receiver does."""
        return message_from_bytes(self.content, policy=default)


def envelope(draft: Draft, domain: str | None = None) -> Envelope:
    """Make a mail ready; ``domain`` stands in its Message-ID, by default the sender's.

    Raises `MailError` for a mail without recipient or without content, and for a header that
    cannot be one.
    """
    recipients = tuple(dict.fromkeys(it.address for it in (*draft.to, *draft.cc, *draft.bcc)))
    if not recipients:
        raise MailError("The mail has no recipient: give to=…, cc=… or bcc=….")
    message_id = make_msgid(domain=domain or draft.sender.domain)
    message = EmailMessage(policy=PLAIN)
    for name, value in _fields(draft, message_id):
        message.set_raw(name, value)
    _fill(message, draft)
    shown = (draft.sender, *draft.to, *draft.cc, *draft.bcc, *draft.reply_to)
    utf8 = not all(it.address.isascii() for it in shown)
    policy = (SMTPUTF8 if utf8 else SMTP).clone(refold_source="none")
    return Envelope(
        draft.sender.address, recipients, message_id, message.as_bytes(policy=policy), utf8
    )


def _fields(draft: Draft, message_id: str) -> Iterable[tuple[str, str]]:
    yield "From", address_list([draft.sender])
    for name, boxes in (("To", draft.to), ("Cc", draft.cc), ("Reply-To", draft.reply_to)):
        if boxes:
            yield name, address_list(boxes)
    check_text(draft.subject, "subject")
    yield "Subject", phrase(draft.subject, "Subject")
    yield "Date", format_datetime(datetime.now(UTC))
    yield "Message-ID", message_id
    for name, value in draft.headers.items():
        _check_field(name, value)
        yield name, phrase(value, name)


def _check_field(name: object, value: object) -> None:
    if not isinstance(name, str) or not _FIELD_NAME.fullmatch(name):
        raise MailError(f"headers: {name!r} is no name of a header: write 'List-Id', for example.")
    if _OURS.fullmatch(name):
        raise MailError(f"headers: {name} is made from the other arguments: leave it out.")
    check_text(value, f"headers: {name}")


def _fill(message: EmailMessage, draft: Draft) -> None:
    if draft.text is None and draft.html is None:
        raise MailError("The mail has no content: give text=… or html=….")
    if draft.text is not None:
        _add(message.set_content, draft.text, "plain")
    if draft.html is not None:
        add = message.set_content if draft.text is None else message.add_alternative
        _add(add, draft.html, "html")
    if draft.attachments:
        message.make_mixed()
    for attachment in draft.attachments:
        message.attach(part_of(attachment))


def _add(add: Callable[..., None], text: object, subtype: str) -> None:
    if not isinstance(text, str):
        raise MailError(f"The {subtype} text is a {type(text).__name__}: give a str.")
    encoding = "base64" if "\0" in text else None
    try:
        add(text, subtype=subtype, charset="utf-8", cte=encoding)
    except UnicodeEncodeError as error:
        raise MailError(f"The {subtype} text is no Unicode: {error}.") from error
