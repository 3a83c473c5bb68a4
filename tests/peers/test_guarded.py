from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests

from buttress.errors import ButtressError
from buttress.peers import AddressRefused, PeerUnavailable
from tests.peers.conftest import Meet, Resolve
from tests.peers.other import Answer, Other, echo, said, silent, unused_address

Start = Callable[..., Other]
METADATA = "http://169.254.169.254/latest/meta-data/"


def leads_to(url: str, status: int = 302) -> Answer:
    """Answer with a redirect."""
    return said(status, Location=url)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Give the list of addresses that sockets are connected to."""
    found: list[Any] = []
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        found.append(address)
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return found


@pytest.mark.parametrize(
    "url",
    [
        METADATA,
        "https://169.254.169.254/",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://0251.0376.0251.0376/",
        "http://169.254.169.254:8080/",
        "http://user:password@169.254.169.254/",
        "http://example.com@169.254.169.254/",
        "http://169.254.169.254#@example.com/",
        "http://169.254.169.254\\@example.com/",
        "http:///169.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://１６９.254.169.254/",  # noqa: RUF001  # digits that only look alike
        "http://169。254。169。254/",
        "http://⑯⑨.②⑤④.①⑥⑨.②⑤④/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://0.0.0.0:22/",
        "http://0/",
    ],
)
def test_refused(meet: Meet, connected: list[Any], url: str) -> None:
    """No spelling of a URL reaches a forbidden address: no socket is connected."""
    with pytest.raises((AddressRefused, requests.exceptions.InvalidURL)):
        meet().external.get(url)
    assert connected == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/", "gopher://a/", "//a", "a"])
def test_other_schemes(meet: Meet, url: str) -> None:
    """Only http and https are called."""
    with pytest.raises(ValueError, match="No connection adapters|No scheme"):
        meet().external.get(url)


def test_error_says_what_to_do(meet: Meet) -> None:
    """The error is one of ours and one of requests, and names the setting."""
    with pytest.raises(AddressRefused, match="PEERS_ALLOWED_ADDRESSES") as error:
        meet().external.get(METADATA)
    assert isinstance(error.value, ButtressError)
    assert isinstance(error.value, requests.RequestException)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", [METADATA, "//169.254.169.254/", "http://2852039166/"])
def test_redirect_is_refused(other: Start, meet: Meet, status: int, target: str) -> None:
    """A redirect to a forbidden address is not followed."""
    outside = other(leads_to(target, status))
    with pytest.raises(AddressRefused):
        meet().external.get(outside.url)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO"])
def test_redirect_to_another_scheme(other: Start, meet: Meet, target: str) -> None:
    """A redirect leads to http and https only."""
    with pytest.raises(requests.exceptions.InvalidSchema):
        meet().external.get(other(leads_to(target)).url)


def test_redirect_of_a_peer_is_refused(other: Start, meet: Meet) -> None:
    """A peer cannot send its caller to a forbidden address either."""
    piste = other(leads_to(METADATA))
    with pytest.raises(AddressRefused):
        meet(piste.address).peer("piste").get("x")


def test_peer_itself_is_not_guarded(other: Start, meet: Meet) -> None:
    """The operator says where a peer is: without private addresses outside it is called."""
    piste = other()
    peers = meet(piste.address, external_private=False)
    assert peers.peer("piste").get("x").content == b"here"
    with pytest.raises(AddressRefused, match="not public"):
        peers.external.get(piste.url)


def test_rebinding(other: Start, meet: Meet, resolve: Resolve, connected: list[Any]) -> None:
    """A name that changes its address between two calls is looked at again."""
    port = int(other(said(200, Connection="close")).address.partition(":")[2])
    external = meet().external
    resolve({"rebound.example": "127.0.0.1"})
    external.get(f"http://rebound.example:{port}/")
    resolve({"rebound.example": "169.254.169.254"})
    with pytest.raises(AddressRefused):
        external.get(f"http://rebound.example:{port}/")
    assert connected == [("127.0.0.1", port)]


def test_looked_at_is_connected_to(
    other: Start, meet: Meet, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved once: there is no second look-up that could answer otherwise."""
    port = int(other().address.partition(":")[2])
    resolve({"once.example": "127.0.0.1"})
    fake, asked = socket.getaddrinfo, []

    def getaddrinfo(host: str, *args: Any) -> Any:
        asked.append(host)
        return fake(host, *args)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    meet().external.get(f"http://once.example:{port}/")
    assert asked.count("once.example") == 1


def test_host_header_has_the_name(other: Start, meet: Meet, resolve: Resolve) -> None:
    """The other side is told the name, not the address that was connected to."""
    outside = other(echo)
    port = outside.address.partition(":")[2]
    resolve({"shop.example": "127.0.0.1"})
    answer = meet().external.get(f"http://shop.example:{port}/")
    assert answer.json()["Host"] == f"shop.example:{port}"


def test_next_address_is_tried(other: Start, meet: Meet, resolve: Resolve) -> None:
    """Where the first address of a name does not answer, the next one is tried."""
    port = other().address.partition(":")[2]
    resolve({"twice.example": "127.0.0.2 127.0.0.1"})
    assert meet(retries=0).external.get(f"http://twice.example:{port}/").content == b"here"


def test_unknown_name(meet: Meet, resolve: Resolve) -> None:
    """A name that nobody knows cannot be reached."""
    resolve({})
    with pytest.raises(PeerUnavailable, match="nowhere.example"):
        meet(retries=0).external.get("http://nowhere.example/")


def test_proxy_of_the_environment(
    other: Start, meet: Meet, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxy is used; a name that only the proxy knows is left to it."""
    proxy = other()
    resolve({})
    monkeypatch.setenv("http_proxy", proxy.url)
    assert meet().external.get("http://inside.example/x").content == b"here"
    assert proxy.seen[0].path == "http://inside.example/x"


@pytest.mark.parametrize(
    "url",
    [
        METADATA,
        "http://evil.example/",
        "http://mixed.example/",
        "http://metadata/",
        "http://169.254.169.254./",
        "http://2852039166./",
    ],
)
def test_proxy_does_not_lead_around_the_guard(
    other: Start, meet: Meet, resolve: Resolve, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """An address that this machine knows is checked before the proxy is asked."""
    proxy = other()
    evil = "169.254.169.254"
    resolve({"evil.example": evil, "mixed.example": f"93.184.216.34 {evil}"})
    monkeypatch.setenv("http_proxy", proxy.url)
    with pytest.raises(AddressRefused):
        meet().external.get(url)
    assert proxy.seen == []


@pytest.mark.parametrize("kept", [False, True])
def test_proxy_that_hangs_up(other: Start, meet: Meet, resolve: Resolve, kept: bool) -> None:
    """A call that a proxy may have passed on is not sent twice, unless it is idempotent."""
    proxy = other(*[said(200)] * kept, silent, silent, said(200))
    resolve({})
    external, options = meet().external, {"proxies": {"http": proxy.url}}
    if kept:
        external.get("http://inside.example/", **options)
    with pytest.raises(requests.exceptions.ProxyError):
        external.post("http://inside.example/", **options)
    assert external.get("http://inside.example/", **options).status_code == 200
    assert [seen.method for seen in proxy.seen][kept:] == ["POST", "GET", "GET"]


def test_proxy_that_is_gone(meet: Meet, resolve: Resolve) -> None:
    """Where no connection was made to the proxy, a call is tried again whatever its method."""
    resolve({})
    peers, proxy = meet(retries=2, breaker_failures=9), f"http://{unused_address()}"
    with pytest.raises(PeerUnavailable):
        peers.external.post("http://inside.example/", proxies={"http": proxy})
    assert peers.report()["http://inside.example"]["failures"] == 3


def test_peers_use_no_proxy(other: Start, meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers are called directly, whatever the environment says of proxies."""
    monkeypatch.setenv("http_proxy", f"http://{unused_address()}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert meet(other().address).peer("piste").get("x").content == b"here"


def test_circuits_are_by_host(other: Start, meet: Meet) -> None:
    """One host that fails does not stop the calls to others, and is on the heartbeat."""
    bad, good = other(said(503)), other()
    peers = meet(retries=0, breaker_failures=1)
    peers.external.get(bad.url.replace("//", "//me:word@"))
    with pytest.raises(PeerUnavailable, match="left alone"):
        peers.external.get(bad.url)
    assert peers.external.get(good.url).content == b"here"
    assert {url: it["state"] for url, it in peers.report().items()} == {bad.url: "open"}
