"""The URL that says where mail goes: ``MAIL_URL``."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from buttress.config import Secret
from buttress.loopback import is_loopback

_HOST = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63})*|[0-9a-f:.]+(?:%\w+)?", re.ASCII)
#: The ports of RFC 8314: submission, and submission in TLS from the first byte.
PORTS = {"smtp": 587, "smtps": 465}


class MailUrl(Struct, frozen=True, kw_only=True):
    """Hold what a URL says: which backend, and where it is."""

    scheme: str
    host: str = ""
    port: int = 0
    user: str | None = None
    password: Secret | None = None
    path: str = ""

    @property
    def is_loopback(self) -> bool:
        """Tell whether the host is this machine."""
        return is_loopback(self.host)

    @property
    def sends_password_away(self) -> bool:
        """Tell whether STARTTLS is what keeps a password from being read on its way."""
        return self.scheme == "smtp" and self.user is not None and not self.is_loopback


def parsed(url: Secret) -> MailUrl:
    """Read a URL. Raises `ValueError`, which shows nothing of it, for one that is none."""
    try:
        parts = urlsplit(url.reveal())
        port = parts.port
    except ValueError:
        raise ValueError("is no URL: is there a bracket or a port that is none?") from None
    read = _KINDS.get(parts.scheme)
    if read is None:
        raise ValueError("must begin with smtp://, smtps://, ses://, folder: or memory:")
    if parts.query or parts.fragment:
        raise ValueError("must have no ? or #: write them as %3F and %23 in a password")
    return read(parts, port)


def _smtp(parts: SplitResult, port: int | None) -> MailUrl:
    example = f"{parts.scheme}://user:password@mail.example:{PORTS[parts.scheme]}"
    if not _HOST.fullmatch(parts.hostname or "") or parts.path.strip("/"):
        raise ValueError(f"must be written as {example}")
    user, password = (
        None if it is None else unquote(it) for it in (parts.username, parts.password)
    )
    if (not user) != (not password):
        raise ValueError("must have both a user and a password, or neither")
    if not f"{user}{password}".isascii():
        raise ValueError("must have a user and a password in ASCII, which is all that Python sends")
    return MailUrl(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=port or PORTS[parts.scheme],
        user=user or None,
        password=Secret(password) if password else None,
    )


def _ses(parts: SplitResult, port: int | None) -> MailUrl:
    if port or parts.username or parts.password or parts.path.strip("/"):
        raise ValueError("must be written as ses://eu-west-1, or ses:// for SES_REGION_NAME")
    return MailUrl(scheme="ses", host=parts.hostname or "")


def _folder(parts: SplitResult, _port: int | None) -> MailUrl:
    if parts.netloc or (parts.path and not parts.path.startswith("/")):
        raise ValueError("must be written as folder:///path, or folder: for instance/mail")
    return MailUrl(scheme="folder", path=unquote(parts.path))


def _memory(parts: SplitResult, _port: int | None) -> MailUrl:
    if parts.netloc or parts.path:
        raise ValueError("must be written as memory:")
    return MailUrl(scheme="memory")


_KINDS: dict[str, Callable[[SplitResult, int | None], MailUrl]] = {
    "smtp": _smtp,
    "smtps": _smtp,
    "ses": _ses,
    "folder": _folder,
    "memory": _memory,
}
