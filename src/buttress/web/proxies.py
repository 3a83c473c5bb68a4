"""What proxies say of a request, believed only of those that are declared."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

from buttress.web.hosts import parts_of_host

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Network: TypeAlias = IPv4Network | IPv6Network

#: The word for whoever comes by the service's own Unix socket, and has no address.
UNIX = "unix"
FOR, PROTO, HOST, PORT = (f"HTTP_X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PORT"))
#: Addresses that are remembered, and the length of the longest that is looked at.
KNOWN, LONGEST = 1024, 100
DEFAULT_PORTS = {"http": "80", "https": "443"}


class Proxies:
    """Put the client's own address, scheme, host and port in the place of a proxy's."""

    def __init__(self, trusted: Iterable[str]) -> None:
        declared = frozenset(trusted)
        networks = tuple(map(network_of, declared - {UNIX}))
        self._trusts_unix = UNIX in declared
        self._look = lru_cache(KNOWN)(partial(_looked_up, networks))

    def believe(self, environ: WSGIEnvironment) -> None:
        """Take what trusted proxies say of a request; forget what anybody else does."""
        peer = environ.get("REMOTE_ADDR")
        if not (self._look(peer)[1] if peer else self._trusts_unix):
            for name in (FOR, PROTO, HOST, PORT):
                environ.pop(name, None)
            return
        hops = self._take_client(environ)
        proto = _said(environ, PROTO, hops).lower()
        if proto in DEFAULT_PORTS:
            environ["wsgi.url_scheme"] = proto
        _take_host(environ, _said(environ, HOST, hops), _said(environ, PORT, hops))

    def _take_client(self, environ: WSGIEnvironment) -> int:
        """Find the client, from the nearest proxy on; give the number of trusted ones before it."""
        chain = [each.strip() for each in environ.get(FOR, "").split(",")]
        client, first, hops = None, len(chain), 1
        for place in range(len(chain) - 1, -1, -1):
            address, trusted = self._look(chain[place]) if len(chain[place]) <= LONGEST else NOBODY
            if address is None:
                break
            client, first = address, place
            if not trusted:
                break
            hops += 1
        if client is None:
            environ.pop(FOR, None)
        else:
            environ["REMOTE_ADDR"] = client
            environ[FOR] = ", ".join((client, *chain[first + 1 :]))
        return hops


def network_of(text: str) -> Network:
    """Read an address or a network. Raises `ValueError`."""
    return ip_network(text)


#: What is no address.
NOBODY: tuple[str | None, bool] = (None, False)


def _looked_up(networks: tuple[Network, ...], text: str) -> tuple[str | None, bool]:
    """Give the address in an entry, and whether it is a trusted one's; ``None`` for no address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # an IPv4 address and a port
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return NOBODY
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address), any(address in network for network in networks)


def _said(environ: WSGIEnvironment, name: str, hops: int) -> str:
    """Give the value that the outermost trusted proxy has set, and leave no other there."""
    values = environ.get(name, "").split(",")
    value: str = values[-min(hops, len(values))].strip()
    if name in environ:
        environ[name] = value
    return value


def _take_host(environ: WSGIEnvironment, host: str, port: str) -> None:
    name, own_port = parts_of_host(host or environ.get("HTTP_HOST") or "")
    if name is None:
        return
    if port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        own_port = environ["SERVER_PORT"] = port
    elif not host:
        return
    usual = DEFAULT_PORTS.get(environ["wsgi.url_scheme"])
    environ["HTTP_HOST"] = name if own_port in (None, usual) else f"{name}:{own_port}"
