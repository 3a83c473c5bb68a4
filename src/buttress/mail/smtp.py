"""Mail through a mail server (RFC 5321, 6409), encrypted as RFC 8314 advises."""

from __future__ import annotations

import io
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from buttress.errors import ConfigError, MailError
from buttress.lifecycle import Deadline
from buttress.mail.address import mailbox
from buttress.mail.backend import Backend
from buttress.mail.message import Envelope
from buttress.mail.settings import MailSettings
from buttress.mail.url import MailUrl

#: Replies from this one on are final; those below, from 400 on, are for the moment.
FINAL = 500
#: But this one refuses us and not the mail: log in first, or encrypt (RFC 4954, RFC 3207).
STRANGER = 530
#: Seconds that a question of the heartbeat may take: less than HEALTH_TIMEOUT, to say why.
CHECK_WITHIN = 4.0
#: And that a farewell may take.
LEAVE_WITHIN = 1.0


class _Timed(smtplib.SMTP):
    """A client that is done by a deadline, however slowly a server sends its replies."""

    def __init__(self, deadline: Deadline, host: str, port: int, name: str, **options: Any) -> None:
        self.deadline = deadline
        super().__init__(host, port, name, timeout=self._left(), **options)

    def send(self, s: Any) -> None:
        """Send within what is left."""
        self._limit()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Await a reply within what is left."""
        if self.file is None:
            self.file = io.BufferedReader(_Replies(self.receive))
        return super().getreply()

    def receive(self, buffer: Any) -> int:
        """Receive some octets within what is left."""
        self._limit()
        return 0 if self.sock is None else self.sock.recv_into(buffer)

    def _limit(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._left())

    def _left(self) -> float:
        left = self.deadline.left()
        if not left:
            raise TimeoutError("timed out")
        return left


class _Replies(io.RawIOBase):
    """What a server sends, as a file; the one that a socket makes waits anew for each octet."""

    def __init__(self, receive: Callable[[Any], int]) -> None:
        self._receive = receive

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some octets."""
        return self._receive(buffer)


class _TimedTls(_Timed, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


class SmtpBackend(Backend):
    """Hand each mail over in a connection of its own."""

    def __init__(self, settings: MailSettings, target: MailUrl, instance: Path) -> None:
        self._target = target
        self._starttls = settings.starttls
        self._name = _own_name(settings)
        try:
            self._tls = ssl.create_default_context(cafile=settings.ca_file)
        except OSError as error:
            raise ConfigError([f"MAIL_CA_FILE: {settings.ca_file}: {error}."]) from error

    def send(self, envelope: Envelope, seconds: float) -> str:
        """Hand it over; where one recipient is refused, nobody gets it."""
        deadline = Deadline(seconds)
        with self._client(deadline) as client:
            options = _options(client, envelope)
            _final(client.mail(envelope.sender, options), f"the sender {envelope.sender}")
            _offer(client, envelope.recipients)
            _final(_data(client, envelope.content), "the mail")
        return envelope.message_id

    def check(self) -> Mapping[str, Any]:
        """Connect, log in, and do nothing."""
        with self._client(Deadline(CHECK_WITHIN)) as client:
            _final(client.noop(), "NOOP")
        return {"server": f"{self._target.host}:{self._target.port}"}

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    @contextmanager
    def _client(self, deadline: Deadline) -> Iterator[_Timed]:
        """Give a connection that is encrypted and logged in as it should be."""
        with _readable(), closing(self._connected(deadline)) as client:
            client.ehlo_or_helo_if_needed()
            if self._target.scheme == "smtp":
                self._encrypt(client)
            if self._target.user is not None and self._target.password is not None:
                client.login(self._target.user, self._target.password.reveal())
            yield client
            _leave(client)

    def _connected(self, deadline: Deadline) -> _Timed:
        where = self._target.host, self._target.port, self._name
        if self._target.scheme == "smtps":
            return _TimedTls(deadline, *where, context=self._tls)
        return _Timed(deadline, *where)

    def _encrypt(self, client: _Timed) -> None:
        offered = client.has_extn("starttls")
        if self._starttls == "never" or (
            self._starttls == "auto" and self._target.is_loopback and not offered
        ):
            return
        if not offered:
            raise ConnectionError(
                f"{self._target.host} offers no STARTTLS, and mail goes there encrypted only: "
                "take smtps://, or another port"
            )
        client.starttls(context=self._tls)
        client.ehlo_or_helo_if_needed()


def _own_name(settings: MailSettings) -> str:
    """Give what this service calls itself; Python would ask the name server, which takes long."""
    if settings.own_domain is not None:
        return settings.own_domain
    return mailbox(settings.sender, "MAIL_SENDER").domain if settings.sender else "localhost"


def _options(client: smtplib.SMTP, envelope: Envelope) -> list[str]:
    """Give the options of ``MAIL FROM``. Raises `MailError` where the server cannot take it."""
    options = []
    if client.has_extn("size"):
        most = client.esmtp_features["size"].strip()
        if most.isdigit() and 0 < int(most) < len(envelope.content):
            raise MailError(
                f"The mail has {len(envelope.content)} bytes, and the server takes {most} at most."
            )
        options.append(f"size={len(envelope.content)}")
    if envelope.utf8:
        if not client.has_extn("smtputf8"):
            raise MailError("The server takes no addresses beyond ASCII (SMTPUTF8).")
        options += ["SMTPUTF8", "BODY=8BITMIME"]
    return options


def _offer(client: smtplib.SMTP, recipients: tuple[str, ...]) -> None:
    refused: dict[str, tuple[int, str]] = {}
    for address in recipients:
        code, text = client.rcpt(address)
        if code >= 400:
            refused[address] = code, _text(text)
    if not refused:
        return
    told = "; ".join(f"{address}: {code} {text}" for address, (code, text) in refused.items())
    if not any(_is_final(code) for code, _ in refused.values()):
        raise ConnectionError(f"the server takes no mail for the moment to {told}")
    raise MailError(f"The server refuses recipients, so nothing was sent: {told}", refused)


def _final(reply: tuple[int, bytes], what: str) -> None:
    """Raise `MailError` where a reply refuses for good, and `ConnectionError` for the moment."""
    code, text = reply
    if _is_final(code):
        raise MailError(f"The server refuses {what}: {code} {_text(text)}")
    if code >= 400:
        raise ConnectionError(
            f"the server does not take {what} for the moment: {code} {_text(text)}"
        )


def _is_final(code: int) -> bool:
    return code >= FINAL and code != STRANGER


def _text(reply: bytes) -> str:
    return " ".join(reply.decode("utf-8", "replace").split())


def _data(client: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    try:
        return client.data(content)
    except smtplib.SMTPDataError as error:
        return error.smtp_code, _octets(error.smtp_error)


def _leave(client: _Timed) -> None:
    """Take leave; the mail is the server's by now, and what it says to this changes nothing."""
    client.deadline = Deadline(LEAVE_WITHIN)
    with suppress(OSError):
        client.quit()


@contextmanager
def _readable() -> Iterator[None]:
    """Say in words what a server answers that does not let us in."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        text = _text(_octets(error.smtp_error))
        raise ConnectionError(f"the server answers {error.smtp_code} {text}") from error


def _octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
