"""The extension ``mail``."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from buttress.config import Secret
from buttress.errors import MailError, Unavailable, Unhealthy
from buttress.extension import Extension
from buttress.mail.address import Mailbox, Recipients, Written, mailbox, mailboxes
from buttress.mail.attachment import Attached, read_attachments
from buttress.mail.backend import load, make_backend
from buttress.mail.message import Draft, Envelope, envelope
from buttress.mail.settings import MailSettings
from buttress.mail.url import parsed
from buttress.web import current_deadline

if TYPE_CHECKING:
    from buttress.mail.memory import MemoryBackend
    from buttress.mail.ses import SesClient
    from buttress.service import Service

logger = logging.getLogger("buttress.mail")


class Mail:
    """What ``app.mail`` is: it sends mail by the backend that MAIL_URL names."""

    def __init__(self, settings: MailSettings, instance: Path, mode: str) -> None:
        url = settings.url or Secret("memory:" if mode == "testing" else "folder:")
        target = parsed(url)
        self.scheme = target.scheme
        self._reaches_nobody = url is not settings.url and mode == "production"
        self._settings = settings
        self._domain = settings.own_domain
        self._backend = make_backend(settings, target, instance)
        self._ses: SesClient | None = None
        self._lock = Lock()

    def send(
        self,
        *,
        subject: str,
        to: Recipients | None = None,
        text: str | None = None,
        html: str | None = None,
        attachments: Attached | Iterable[Attached] | None = None,
        cc: Recipients | None = None,
        bcc: Recipients | None = None,
        reply_to: Recipients | None = None,
        sender: Written | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Send one mail to all its recipients or to none, and give its Message-ID.

        Addresses are ``ann@shop.example`` or ``Ann <ann@shop.example>``, each text one of them.
        An attachment is a path, ``(name, bytes)``, ``(name, bytes, content type)`` or an
        `Attachment`. Raises `MailError` where it cannot be sent as it is, and `Unavailable`
        (503) where the server cannot take it now.
        """
        ready = envelope(
            Draft(
                sender=self._sender(sender),
                to=mailboxes(to, "to"),
                cc=mailboxes(cc, "cc"),
                bcc=mailboxes(bcc, "bcc"),
                reply_to=mailboxes(reply_to, "reply_to"),
                subject=subject,
                text=text,
                html=html,
                attachments=read_attachments(attachments),
                headers=headers or {},
            ),
            self._domain,
        )
        return self._carry(ready)

    @property
    def outbox(self) -> deque[Envelope]:
        """Give the mails that were sent to ``memory:``, oldest first; a test may clear it.

        Raises `MailError` where mail goes elsewhere.
        """
        if self.scheme != "memory":
            raise MailError(f"Mail goes to {self.scheme}: only MAIL_URL=memory: has an outbox.")
        return cast("MemoryBackend", self._backend).outbox

    def get_ses_client(self) -> Any:
        """Give boto3's client of SES, by the settings SES_…; the same one each time.

        Raises `ConfigError` where no region is known, and `ExtensionError` without boto3.
        """
        with self._lock:
            if self._ses is None:
                made = load("buttress.mail.ses", "aws").SesClient(self._settings)
                self._ses = cast("SesClient", made)
            return self._ses.get()

    def announce(self) -> None:
        """Warn where production writes mail into a folder because nothing else was said."""
        if self._reaches_nobody:
            logger.warning(
                "mail is written into the instance folder and reaches nobody: set MAIL_URL"
            )

    def check(self) -> Mapping[str, Any]:
        """Try whether mail would be taken. Raises `Unhealthy` where it would not."""
        try:
            return {"backend": self.scheme, **self._backend.check()}
        except OSError as error:
            raise Unhealthy(f"Mail cannot be sent: {error}") from error

    def close(self) -> None:
        """Release the connections."""
        self._backend.close()
        if self._ses is not None:
            self._ses.close()

    def _sender(self, given: Written | None) -> Mailbox:
        chosen = given or self._settings.sender
        if chosen is None:
            raise MailError("The mail has no sender: set MAIL_SENDER, or give sender=….")
        return mailbox(chosen, "sender")

    def _carry(self, ready: Envelope) -> str:
        told = f"mail from {ready.sender} to {', '.join(ready.recipients)}"
        try:
            message_id = self._backend.send(ready, self._seconds())
        except OSError as error:
            logger.error("%s is not sent: %s: %s", told, ready.message_id, error)
            raise Unavailable("Mail cannot be sent at the moment.") from error
        except MailError as error:
            logger.warning("%s is refused: %s: %s", told, ready.message_id, error)
            raise
        logger.info("%s is sent: %s", told, message_id)
        return message_id

    def _seconds(self) -> float:
        """Give the time that one mail may take: less where somebody waits no longer."""
        deadline = current_deadline()
        most = self._settings.timeout
        return most if deadline is None else min(most, deadline.left())


class MailExtension(Extension[MailSettings, Mail]):
    """Send mail: into a folder, by a mail server, or by Amazon SES."""

    name = "mail"
    settings = MailSettings
    provides = ("get_ses_client",)

    def build(self, app: Service, settings: MailSettings) -> Mail:
        """Make it."""
        return Mail(settings, Path(app.instance_path), app.mode)

    def start(self, it: Mail) -> None:
        """Say so where mail reaches nobody in production."""
        it.announce()

    def check(self, it: Mail) -> Mapping[str, Any]:
        """Try whether mail would be taken."""
        return it.check()

    def close(self, it: Mail) -> None:
        """Release the connections."""
        it.close()
