"""Where RabbitMQ is, and as whom: what a URL or settings say, and what a library wants to know."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from buttress.config import Secret

_HOST = re.compile(r"(?!\.)(?:\.?[\w-]{1,63})+\.?|[0-9a-f:.]+(?:%\w+)?", re.ASCII | re.IGNORECASE)

#: The ports of AMQP (IANA), in the clear and in TLS from the first byte.
PORT, TLS_PORT = 5672, 5671
#: The user that RabbitMQ comes with, who may come from its own machine only.
GUEST = "guest"
EXAMPLE = "amqps://user:password@broker.example:5671/vhost"


class Address(Struct, frozen=True, kw_only=True):
    """Hold where a broker is, and as whom to speak to it."""

    host: str
    port: int
    user: str
    password: Secret
    virtual_host: str
    tls: bool
    #: The certificates of the authorities to trust, instead of the system's.
    ca_file: Path | None = None

    @property
    def bracketed(self) -> str:
        """Give the host as URLs write it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def shown(self) -> str:
        """Name the broker as the log and the heartbeat do."""
        return f"{self.bracketed}:{self.port}"

    def options(self) -> dict[str, Any]:
        """Give what `amqp.Connection` wants to know of it."""
        return {"host": self.shown, **self.login()}

    def login(self) -> dict[str, Any]:
        """Give what py-amqp and kombu both want to know: all but the host."""
        return {
            "userid": self.user,
            "password": self.password.reveal(),
            "login_method": "PLAIN",
            "virtual_host": self.virtual_host,
            "ssl": self._tls() if self.tls else False,
        }

    def _tls(self) -> dict[str, Any]:
        return {
            "server_hostname": self.host,
            "cert_reqs": ssl.CERT_REQUIRED,
            "ca_certs": None if self.ca_file is None else str(self.ca_file),
            "tls_minimum_version": ssl.TLSVersion.TLSv1_2,
        }


class Parts(Struct, frozen=True, kw_only=True):
    """Hold what a URL says of an address; ``None`` where it says nothing."""

    tls: bool
    host: str
    port: int | None = None
    user: str | None = None
    password: Secret | None = None
    virtual_host: str | None = None

    def address(self, *, tls: bool, ca_file: Path | None) -> Address:
        """Fill in RabbitMQ's defaults."""
        return Address(
            host=self.host,
            port=self.port or (TLS_PORT if tls else PORT),
            user=self.user or GUEST,
            password=self.password or Secret(GUEST),
            virtual_host=self.virtual_host or "/",
            tls=tls,
            ca_file=ca_file,
        )


def parsed(url: Secret) -> Parts:
    """Read a URL as RabbitMQ's own URI specification has it.

    Raises `ValueError`, which shows nothing of it, for one that is none.
    """
    try:
        parts = urlsplit(url.reveal())
        port = parts.port
    except ValueError:
        raise ValueError("is no URL: is there a bracket or a port that is none?") from None
    if parts.scheme not in ("amqp", "amqps"):
        raise ValueError(f"must begin with amqp:// or amqps://, as in {EXAMPLE}")
    if parts.query or parts.fragment:
        raise ValueError("must have no ? or #: write them as %3F and %23 in a password")
    if not is_host(parts.hostname or "") or port == 0:
        raise ValueError(f"must be written as {EXAMPLE}")
    return Parts(
        tls=parts.scheme == "amqps",
        host=parts.hostname or "",
        port=port,
        user=unquote(parts.username) if parts.username else None,
        password=Secret(unquote(parts.password)) if parts.password else None,
        virtual_host=_virtual_host(parts),
    )


def is_host(text: str) -> bool:
    """Tell whether a text is a host name or an address."""
    return _HOST.fullmatch(text) is not None


def _virtual_host(parts: SplitResult) -> str | None:
    path = parts.path.removeprefix("/")
    if "/" in path:
        raise ValueError("has a virtual host with a / in it: write that as %2F")
    return unquote(path) or None
