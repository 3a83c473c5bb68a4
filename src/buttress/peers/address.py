"""Where a peer is: the addresses in the settings, and the variables that Kubernetes sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from buttress.errors import ButtressError

#: How the schemes that may stand in an address are called.
SCHEMES = {"http": "http", "https": "https", "tcp": "http"}

_not_in_names = re.compile(r"[^A-Za-z0-9]")
_not_in_addresses = re.compile(r"[\s\x00-\x1f\x7f\\?#]")

#: What is known of a peer: the value of ``_SERVICE_PORT`` or the setting, and ``_SERVICE_HOST``.
Known = tuple[str, str]


class UnknownPeer(ButtressError, ValueError):
    """Raised when nothing tells where a peer is, or what tells it is no address; see ``peer``."""

    def __init__(self, peer: str, message: str) -> None:
        super().__init__(peer, message)
        self.peer = peer

    def __str__(self) -> str:
        return str(self.args[1])


class Addresses:
    """Find the addresses of peers by name.

    ``prefix`` begins the variables, such as ``GNAR_`` in development; it is empty in production.
    """

    def __init__(self, given: Mapping[str, str], prefix: str, environ: Mapping[str, str]) -> None:
        self._given = {variable_part(name): address for name, address in given.items()}
        self._prefix = prefix
        self._environ = environ

    def known(self, name: str) -> Known:
        """Give what is known of a peer now. Raises `UnknownPeer` where nothing is."""
        part = variable_part(name)
        given = self._given.get(part)
        if given is not None:
            return given, ""
        port, host = self._variables(part)
        value = self._environ.get(port, "")
        if not value:
            raise UnknownPeer(name, self._missing(name, port, host))
        return value, self._environ.get(host, "")

    def url(self, name: str, known: Known) -> str:
        """Write what is known as a URL without a last slash.

        Raises `UnknownPeer` where it is no address.
        """
        try:
            return base_url(*known)
        except ValueError as error:
            port, host = self._variables(variable_part(name))
            raise UnknownPeer(
                name, f"The address of the peer {name!r} is wrong ({port}, {host}): {error}"
            ) from error

    def _variables(self, part: str) -> tuple[str, str]:
        stem = f"{self._prefix}{part}_SERVICE"
        return f"{stem}_PORT", f"{stem}_HOST"

    def _missing(self, name: str, port: str, host: str) -> str:
        return (
            f"Nobody says where the peer {name!r} is: set {port} to <ip address>:<port>, or to a "
            f"port beside {host}, or name it in PEERS_ADDRESSES."
        )


@lru_cache(1024)
def variable_part(name: str) -> str:
    """Write the name of a service as variables do: ``my-piste`` is ``MY_PISTE``."""
    part = _not_in_names.sub("_", name).upper()
    if not part.strip("_"):
        raise UnknownPeer(name, f"{name!r} is no name of a peer: give one such as 'piste'.")
    return part


def base_url(value: str, host: str = "") -> str:
    """Read an address: ``ip:port``, a URL, ``tcp://ip:port``, or a port beside a host.

    Raises `ValueError` with a sentence that says what is wrong.
    """
    text = value.strip()
    if text.isascii() and text.isdecimal():
        text = f"{_bracketed(host, text)}:{text}"
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    if scheme.lower() not in SCHEMES:
        raise ValueError(f"{scheme!r} cannot be called; write http:// or https://.")
    return _checked(SCHEMES[scheme.lower()], rest)


def _bracketed(host: str, port: str) -> str:
    host = host.strip()
    if not host:
        raise ValueError(
            f"{port!r} is a port only: write <ip address>:{port}, or set _SERVICE_HOST as well."
        )
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


def _checked(scheme: str, rest: str) -> str:
    if "@" in rest:
        raise ValueError("It holds a user name or password; pass auth=(…) in the calls instead.")
    if _not_in_addresses.search(rest):
        raise ValueError(f"{rest!r} is no address; write <ip address>:<port> or a URL.")
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        wrong = not parts.hostname or parts.port == 0 or parts.netloc.endswith(":")
    except ValueError as error:
        raise ValueError(f"{rest!r} is no address: {error}.") from error
    if wrong:
        raise ValueError(f"{rest!r} is no address; write <ip address>:<port> or a URL.")
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}"
