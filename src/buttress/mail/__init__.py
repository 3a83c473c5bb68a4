"""Mail: into a folder by default, by a mail server or Amazon SES where a URL says so."""

from __future__ import annotations

from buttress.mail.address import Mailbox
from buttress.mail.attachment import Attachment
from buttress.mail.backend import Backend
from buttress.mail.extension import Mail, MailExtension
from buttress.mail.message import Envelope
from buttress.mail.settings import MailSettings

__all__ = [
    # the extension
    "Mail",
    "MailExtension",
    "MailSettings",
    # what is sent
    "Attachment",
    "Envelope",
    "Mailbox",
    # what carries it
    "Backend",
]
