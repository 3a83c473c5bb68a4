"""Where RabbitMQ is, and as whom: what an AMQP URL says."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from buttress.config import Secret
from buttress.errors import ConfigError

#: The ports of AMQP (IANA), in the clear and in TLS from the first byte.
PORT, TLS_PORT = 5672, 5671
#: The user that RabbitMQ comes with.
GUEST = "guest"
EXAMPLE = "amqps://user:password@broker.example:5671/vhost"


@dataclass(frozen=True)
class Address:
    """Where a broker is, and as whom to speak to it."""

    host: str
    port: int
    user: str
    password: Secret
    virtual_host: str
    tls: bool
    ca_file: Path | None

    def options(self) -> dict[str, Any]:
        """Give what `amqp.Connection` wants to know of it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return {
            "host": f"{host}:{self.port}",
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


def address_of(url: Secret, ca_file: Path | None = None) -> Address:
    """Read a URL as RabbitMQ's own URI specification has it.

    Raises `ConfigError`, which does not show it, for one that is none.
    """
    if ca_file is not None and not ca_file.is_file():
        raise ConfigError([f"QUEUES_CA_FILE: there is no file {ca_file}."])
    try:
        parts = urlsplit(url.reveal())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    path = "" if host is None else parts.path.removeprefix("/")
    if not host or port == 0 or "/" in path or parts.query or parts.fragment:
        raise ConfigError(
            [
                f"QUEUES_URL (its value is not shown) is no AMQP URL: write it as {EXAMPLE}, with "
                "%2F for a / and %3F for a ? in names and passwords."
            ]
        )
    tls = parts.scheme.lower() == "amqps"
    return Address(
        host=host,
        port=port or (TLS_PORT if tls else PORT),
        user=unquote(parts.username or GUEST),
        password=Secret(unquote(parts.password or GUEST)),
        virtual_host=unquote(path) or "/",
        tls=tls,
        ca_file=ca_file,
    )
