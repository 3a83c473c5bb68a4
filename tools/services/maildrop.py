"""A mail server that keeps what it gets: ``python -m tools.services.maildrop``.

It offers STARTTLS, with a certificate of an authority of its own, and then takes mail from those
who log in as ``buttress`` with the password in MAILDROP_PASSWORD. Mail to an address whose local
part is ``nobody`` is refused for good, to ``later`` for the moment.
"""

from __future__ import annotations

import argparse
import hmac
import logging
import mailbox
import os
import signal
import ssl
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

USER = "buttress"
#: What a client must trust, and where the mails are, in the folder of the server.
AUTHORITY, MAILS = "authority.pem", "mails"
REFUSALS = {
    "nobody": "550 5.1.1 There is no such mailbox",
    "later": "451 4.7.1 Try again later",
}


class Maildrop:
    """Put every mail into a Maildir, with its envelope in ``X-MailFrom`` and ``X-RcptTo``."""

    def __init__(self, folder: Path) -> None:
        self._box = mailbox.Maildir(folder)

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse two kinds of recipients."""
        refusal = REFUSALS.get(address.partition("@")[0])
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        """Keep it."""
        addresses = ", ".join(envelope.rcpt_tos)
        head = f"X-MailFrom: {envelope.mail_from}\r\nX-RcptTo: {addresses}\r\n"
        content = envelope.original_content or b""
        self._box.add(head.encode() + content)
        return "250 OK"


def controller(maildrop: Maildrop, password: str, **options: Any) -> Controller:
    """Make the server, with a thread of its own once it is started.

    ``options`` are aiosmtpd's, among them ``hostname`` and ``port``.
    """

    def log_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> Any:
        good = isinstance(given, LoginPassword) and given.login == USER.encode()
        right = good and hmac.compare_digest(given.password, password.encode())
        return AuthResult(success=right, handled=False)

    return Controller(
        maildrop, authenticator=log_in, auth_required=True, enable_SMTPUTF8=True, **options
    )


def certified(authority: Path, *names: str) -> ssl.SSLContext:
    """Make a certificate for these hosts, and write down whose it is."""
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(authority))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issuer.issue_cert(*names).configure_cert(context)
    return context


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="tools.services.maildrop")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--folder", type=Path, required=True, help="for the mails and certificate")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    folder: Path = arguments.folder
    server = controller(
        Maildrop(folder / MAILS),
        os.environ["MAILDROP_PASSWORD"],
        hostname=arguments.host,
        port=arguments.port,
        tls_context=certified(folder / AUTHORITY, "127.0.0.1", "localhost"),
    )
    server.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.stop()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
