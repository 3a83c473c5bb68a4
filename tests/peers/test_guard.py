from __future__ import annotations

import socket

import pytest

from buttress.peers.guard import Guard, Refused
from tests.peers.conftest import Resolve

OPEN = Guard([], private=True)
PUBLIC = Guard([], private=False)

#: Ways to write an address that leads to credentials, or to no host at all.
NEVER = """
    169.254.169.254 169.254.170.2 169.254.0.1 169.254.255.255
    2852039166 0xA9FEA9FE 0xa9.0xfe.0xa9.0xfe 0251.0376.0251.0376 025177524776
    169.254.43518 169.16689662 0xa9.254.0251.254 169.0xfea9fe
    fe80::1 fe80:0:0:0:0:0:0:1 febf:ffff::1 fe80::a9fe:a9fe
    ::ffff:169.254.169.254 ::ffff:a9fe:a9fe 0:0:0:0:0:ffff:a9fe:a9fe ::169.254.169.254
    ::ffff:0:169.254.169.254 64:ff9b::169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b:1::a9fe:a9fe
    2002:a9fe:a9fe::1 2001:0:a9fe:a9fe:: 2001:0:0:0:0:0:5601:5601
    100.100.100.200 1684301000 ::ffff:100.100.100.200 192.0.0.192 168.63.129.16
    fd00:ec2::254 fd00:ec2:0:0:0:0:0:254 fd00:ec2::23 fd20:ce::254
    0.0.0.0 0 0x0 000.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0 224.0.0.1 ff02::1
    metadata metadata.google.internal METADATA.GOOGLE.INTERNAL. metadata.goog
    instance-data instance-data.ec2.internal
"""
#: Ways to write an address of this machine or of a private network.
PRIVATE = """
    127.0.0.1 127.1 2130706433 0x7f000001 017700000001 127.255.255.254 localhost
    ::1 ::ffff:127.0.0.1 ::ffff:7f00:1 64:ff9b::127.0.0.1
    10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 fc00::1 fd12:3456::1
    fec0::1 192.0.0.8
    198.18.0.1 192.0.2.1 240.0.0.1 255.255.255.255 ::ffff:10.0.0.1 2002:0a00:0001::1
"""
FINE = "93.184.216.34 1.1.1.1 8.8.8.8 2606:4700:4700::1111 ::ffff:1.1.1.1 64:ff9b::1.1.1.1"


@pytest.mark.parametrize("host", NEVER.split())
@pytest.mark.parametrize("guard", [OPEN, PUBLIC])
def test_never(guard: Guard, host: str) -> None:
    """No way to write a link-local, metadata or unspecified address is admitted."""
    with pytest.raises(Refused, match="may not be called"):
        guard.admitted(host, 80)


@pytest.mark.parametrize("host", PRIVATE.split())
def test_private(host: str) -> None:
    """Loopback and private addresses are admitted or not, as the setting says."""
    assert OPEN.admitted(host, 80)
    with pytest.raises(Refused, match="not public"):
        PUBLIC.admitted(host, 80)


@pytest.mark.parametrize("host", FINE.split())
def test_public(host: str) -> None:
    """Public addresses are admitted."""
    assert PUBLIC.admitted(host, 443)


@pytest.mark.parametrize("host", ["169.254.170.2", "::ffff:169.254.170.2"])
def test_allowed_network(host: str) -> None:
    """An address in an allowed network is admitted, its neighbours are not."""
    guard = Guard(["169.254.170.2/32"], private=False)
    assert guard.admitted(host, 80)
    with pytest.raises(Refused):
        guard.admitted("169.254.170.3", 80)


def test_allowed_translation() -> None:
    """A network of IPv6 may be allowed, whatever IPv4 addresses its own stand for."""
    host = "64:ff9b::a9fe:a9fe"
    assert Guard(["64:ff9b::/96"], private=False).admitted(host, 80) == [host]


def test_name_of_metadata_may_be_allowed(resolve: Resolve) -> None:
    """A name of the metadata address follows what is said of the address."""
    resolve({"metadata.google.internal": "169.254.169.254"})
    guard = Guard(["169.254.169.254/32"], private=True)
    assert guard.admitted("metadata.google.internal", 80) == ["169.254.169.254"]


def test_only_good_addresses_of_a_name(resolve: Resolve) -> None:
    """Of several addresses only those are called that may be."""
    resolve({"mixed.example": "169.254.169.254 93.184.216.34 fe80::1"})
    assert PUBLIC.admitted("mixed.example", 80) == ["93.184.216.34"]


def test_each_address_of_a_name(resolve: Resolve) -> None:
    """Where another will choose among the addresses of a name, each must be good."""
    resolve({"mixed.example": "169.254.169.254 93.184.216.34", "good.example": "1.1.1.1 8.8.8.8"})
    assert OPEN.admitted("good.example", 80, each=True) == ["1.1.1.1", "8.8.8.8"]
    with pytest.raises(Refused, match="called: 169.254.169.254 is link-local$"):
        OPEN.admitted("mixed.example", 80, each=True)


def test_name_with_bad_addresses_only(resolve: Resolve) -> None:
    """The reason names each address."""
    resolve({"evil.example": "169.254.169.254 fd00:ec2::254"})
    with pytest.raises(Refused) as refused:
        PUBLIC.admitted("evil.example", 80)
    assert str(refused.value) == (
        "'evil.example' may not be called: 169.254.169.254 is link-local, "
        "fd00:ec2::254 is a metadata address"
    )


def test_zone_is_kept(resolve: Resolve) -> None:
    """An allowed link-local address keeps the interface that it is on."""
    resolve({"router.example": "fe80::1%2"})
    assert Guard(["fe80::/10"], private=True).admitted("router.example", 80) == ["fe80::1%2"]


def test_unknown_name(resolve: Resolve) -> None:
    """A name that nobody knows is the resolver's error."""
    resolve({})
    with pytest.raises(socket.gaierror):
        OPEN.admitted("nowhere.example", 80)


@pytest.mark.parametrize("host", ["a" * 64, "a..b"])
def test_no_name(host: str) -> None:
    """What can be no name of a host is refused."""
    with pytest.raises(Refused, match="no name of a host"):
        OPEN.admitted(host, 80)
