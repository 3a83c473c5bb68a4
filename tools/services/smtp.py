"""A mail server."""

from __future__ import annotations

import importlib.util
import signal
import sys
from pathlib import Path
from urllib.parse import urlencode

from tools.services.place import CHECKOUT, HOST, Place, says
from tools.services.server import Server


class Smtp(Server):
    """A mail server with STARTTLS and a login, which keeps every mail as a file.

    Its URL says in ``authority`` which certificate authority to trust, and in ``mails`` in which
    Maildir the mails are.
    """

    name = "smtp"
    variable = "TEST_SMTP_URL"
    packages = ()
    user = None
    ending = signal.SIGTERM

    def program(self) -> Path | None:
        """Give this interpreter, where what the server is made of is installed beside it."""
        parts = ("aiosmtpd", "trustme")
        return Path(sys.executable) if all(map(importlib.util.find_spec, parts)) else None

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Start it."""
        command = [str(program), "-m", "tools.services.maildrop", "--host", HOST]
        environ = {"PYTHONPATH": str(CHECKOUT), "MAILDROP_PASSWORD": place.password}
        place.start(
            [*command, "--port", str(place.port), "--folder", str(place.data)], user, environ
        )

    def is_ready(self, place: Place) -> bool:
        """Read its greeting."""
        return says(place.port, b"", b"220 ")

    def url(self, place: Place) -> str:
        """Give its address, and where the rest is."""
        rest = {"authority": place.data / "authority.pem", "mails": place.data / "mails"}
        address = f"buttress:{place.password}@{HOST}:{place.port}"
        return f"smtp://{address}?{urlencode(rest, safe='/')}"
