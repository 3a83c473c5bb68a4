"""What a library is told of the broker."""

from __future__ import annotations

import ssl
from pathlib import Path

from buttress.amqp.address import parsed
from buttress.config import Secret


def test_the_options_of_a_connection() -> None:
    """An address of IPv6 is bracketed, and without TLS nothing is said of it."""
    options = parsed(Secret("amqp://me:p%2Fw@[::1]/a%2Fb")).address(tls=False, ca_file=None)
    assert options.options() == {
        "host": "[::1]:5672",
        "userid": "me",
        "password": "p/w",
        "login_method": "PLAIN",
        "virtual_host": "a/b",
        "ssl": False,
    }


def test_tls_verifies_the_host() -> None:
    """The certificate must be one of the authorities', for this host, in TLS 1.2 or later."""
    address = parsed(Secret("amqps://me:pw@broker")).address(tls=True, ca_file=Path("ca.pem"))
    assert address.options()["ssl"] == {
        "server_hostname": "broker",
        "cert_reqs": ssl.CERT_REQUIRED,
        "ca_certs": "ca.pem",
        "tls_minimum_version": ssl.TLSVersion.TLSv1_2,
    }


def test_a_password_is_not_shown() -> None:
    """Neither what was parsed nor the address shows it."""
    said = parsed(Secret("amqps://me:pw0rd@broker"))
    assert "pw0rd" not in f"{said!r} {said.address(tls=True, ca_file=None)!r}"
