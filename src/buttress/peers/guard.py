"""The guard against forged requests: which addresses the world outside may lead to.

See OWASP, Server-Side Request Forgery Prevention Cheat Sheet.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from urllib3.util.connection import allowed_gai_family

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Where clouds tell a machine its credentials, beside what is link-local: Alibaba, Oracle, Azure,
#: Amazon (instances, EKS), Google.
METADATA = tuple(
    map(
        ip_network,
        (
            "100.100.100.200/32",
            "192.0.0.192/32",
            "168.63.129.16/32",
            "fd00:ec2::254/128",
            "fd00:ec2::23/128",
            "fd20:ce::254/128",
        ),
    )
)
#: Names of such addresses, for where a proxy resolves names that this machine does not know.
METADATA_NAMES = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.tencentyun.com",
        "instance-data",
        "instance-data.ec2.internal",
    }
)
#: Not public either: site-local (RFC 3879), for protocols (RFC 6890).
_NOT_PUBLIC = (IPv6Network("fec0::/10"), IPv4Network("192.0.0.0/24"))
#: This network (RFC 1122) and the unspecified address, which some systems take for loopback.
_NOBODY = (IPv4Network("0.0.0.0/8"), IPv6Network("::/128"))
METADATA_ADDRESS = "169.254.169.254"

#: Networks whose addresses hold an IPv4 address in their last 32 bits: IPv4-compatible (RFC 4291),
#: mapped (the same), translated (RFC 2765), NAT64 (RFC 6052, RFC 8215).
_LAST_BITS = tuple(
    map(
        IPv6Network,
        ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"),
    )
)


class Refused(Exception):
    """Raised when a host leads nowhere that may be called; the text says why."""


class Guard:
    """Say which addresses may be called.

    Link-local, metadata and unspecified ones never, unless they are in an ``allowed`` network;
    loopback and private ones only where ``private`` is true.
    """

    def __init__(self, allowed: Iterable[str], *, private: bool) -> None:
        self._allowed = tuple(ip_network(network) for network in allowed)
        self._private = private

    def admitted(self, host: str, port: int, *, each: bool = False) -> list[str]:
        """Resolve a host, and give those of its addresses that may be called.

        Raises `Refused` where there is none, with ``each`` also where it has others beside them,
        and `socket.gaierror` for an unknown name.
        """
        host = host.strip("[]")
        if host.rstrip(".").lower() in METADATA_NAMES:
            self._good(host, [METADATA_ADDRESS])
        return self._good(host, resolve(host, port), each=each)

    def refusal(self, text: str) -> str | None:
        """Say why an address may not be called; ``None`` where it may."""
        bare = text.partition("%")[0]
        written = ip_address(bare)
        if _is_in(written, self._allowed):
            return None
        meant = (it for it in _meanings(written) if not _is_in(it, self._allowed))
        kind = next(filter(None, map(self._kind, meant)), None)
        return None if kind is None else f"{bare} is {kind}"

    def _kind(self, address: Address) -> str | None:
        if address.is_link_local:
            return "link-local"
        if _is_in(address, METADATA):
            return "a metadata address"
        if address.is_multicast or _is_in(address, _NOBODY):
            return "no address of a host"
        if self._private or (address.is_global and not _is_in(address, _NOT_PUBLIC)):
            return None
        return "not public"

    def _good(self, host: str, found: Sequence[str], *, each: bool = False) -> list[str]:
        reasons = {address: self.refusal(address) for address in found}
        good = [address for address, reason in reasons.items() if reason is None]
        if not good or (each and len(good) < len(reasons)):
            why = ", ".join(filter(None, reasons.values())) or "it has no address"
            raise Refused(f"{host!r} may not be called: {why}")
        return good


def resolve(host: str, port: int) -> list[str]:
    """Give the addresses of a host, in the order in which they should be tried."""
    try:
        found = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
    except UnicodeError as error:
        raise Refused(f"{host!r} is no name of a host") from error
    return [_with_zone(sockaddr) for *_, sockaddr in found]


def _with_zone(sockaddr: tuple[object, ...]) -> str:
    address = str(sockaddr[0])
    zone = sockaddr[3] if len(sockaddr) == 4 else 0
    return f"{address}%{zone}" if zone and "%" not in address else address


def _meanings(address: Address) -> Iterator[Address]:
    """Give the IPv4 addresses that an address stands for on the way, else the address itself."""
    if isinstance(address, IPv4Address):
        yield address
    elif _is_in(address, _LAST_BITS) and address not in _NOT_IPV4:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo
    else:
        yield address


#: ``::`` and ``::1`` are addresses of their own.
_NOT_IPV4 = IPv6Network("::/127")


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
