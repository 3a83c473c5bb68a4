from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from buttress import ConfigError, Service, create_app
from buttress.peers import PeersExtension, PeerTimeout, PeerUnavailable, UnknownPeer
from tests.peers.other import Other, echo, said, slow, truncated, unused_address
from tests.services import Make

Start = Callable[..., Other]
ALL = ["web", "health", "peers"]


@pytest.fixture
def shop(make: Make) -> Callable[..., Service]:
    """Give a function that makes a service with a route that asks ``piste``."""

    def shop(address: str, **config: Any) -> Service:
        config = {"PEERS_ADDRESSES": {"piste": address}, "PROPAGATE_EXCEPTIONS": False, **config}
        app = make(extensions=ALL, **config)

        @app.get("/")
        def ask() -> Any:
            return app.peer("piste").get("x").json()

        return app

    return shop


Shop = Callable[..., Service]


def test_attributes(make: Make) -> None:
    """The application has ``peer`` and ``external``, and ``peers`` with its type."""
    app = make(extensions=["peers"])
    assert app.use(PeersExtension) is app.peers
    assert app.external is app.peers.external
    with pytest.raises(UnknownPeer, match="SHOP_PISTE_SERVICE_PORT"):
        app.peer("piste")


def test_environment_is_read_at_each_look(
    make: Make, other: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer is the same as long as its address is, and another one when that changes."""
    app, first, second = make(extensions=["peers"]), other(), other(said(200, b"moved"))
    monkeypatch.setenv("SHOP_PISTE_SERVICE_PORT", first.address)
    peer = app.peer("piste")
    assert (peer.get("x").content, app.peer("PISTE")) == (b"here", peer)
    monkeypatch.setenv("SHOP_PISTE_SERVICE_PORT", second.address)
    assert app.peer("piste").get("x").content == b"moved"


def test_former_address_is_still_usable(
    make: Make, other: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds a peer of a former address may go on; its connections end with the service."""
    app, piste = make(extensions=["peers"]), other()
    monkeypatch.setenv("SHOP_PISTE_SERVICE_PORT", piste.address)
    former = app.peer("piste")
    monkeypatch.setenv("SHOP_PISTE_SERVICE_PORT", unused_address())
    app.peer("piste")
    former.get("x")
    app.close()
    assert (len(piste.connections), piste.is_left()) == (1, True)


def test_one_peer_for_many_threads(make: Make) -> None:
    """Threads that look for a peer at once find the same one, with one circuit."""
    app = make(extensions=["peers"], PEERS_ADDRESSES={"piste": "127.0.0.1:9"})
    with ThreadPoolExecutor(20) as pool:
        found = set(pool.map(lambda _: app.peer("piste"), range(200)))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("mode", "expected"), [("production", "http://a:1"), ("development", "http://b:2")]
)
def test_modes(make: Make, monkeypatch: pytest.MonkeyPatch, mode: str, expected: str) -> None:
    """Production reads the variables as Kubernetes sets them, development those with a prefix."""
    monkeypatch.setenv("PISTE_SERVICE_PORT", "a:1")
    monkeypatch.setenv("SHOP_PISTE_SERVICE_PORT", "b:2")
    app = make(extensions=["peers"], MODE=mode)
    assert app.peer("piste").address == expected


def test_prefix_of_the_application(
    package: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prefix is the one that the application's other variables have."""
    package({"shop/__init__.py": ""})
    monkeypatch.setenv("GNAR_PISTE_SERVICE_PORT", "127.0.0.1:9401")
    app = create_app("shop", extensions=["peers"], env_prefix="GNAR", config={"MODE": "testing"})
    assert app.peer("piste").address == "http://127.0.0.1:9401"
    app.close()


def test_addresses_from_the_environment(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mapping of addresses is a setting like others."""
    monkeypatch.setenv("SHOP_PEERS_ADDRESSES", '{"snow-gun": "https://gun.example"}')
    assert make(extensions=["peers"]).peer("snow_gun").address == "https://gun.example"


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"PEERS_ADDRESSES": {"piste": "ftp://a"}}, "PEERS_ADDRESSES: 'piste': 'ftp' cannot"),
        ({"PEERS_ADDRESSES": {"piste": "9401"}}, "port only"),
        ({"PEERS_ADDRESSES": {"--": "a:1"}}, "PEERS_ADDRESSES: '--': .*no name of a peer"),
        ({"PEERS_ADDRESSES": {"a-b": "a:1", "A_B": "b:1"}}, "'a-b' and 'A_B' are the same peer"),
        ({"PEERS_ALLOWED_ADDRESSES": ["10.0.0.1/8"]}, "PEERS_ALLOWED_ADDRESSES: 10.0.0.1/8"),
        ({"PEERS_CONNECT_TIMEOUT": 0}, "PEERS_CONNECT_TIMEOUT"),
        ({"PEERS_RETRY_BUDGET": 2}, "PEERS_RETRY_BUDGET"),
        ({"PEERS_CA_FILE": "nowhere.pem"}, "PEERS_CA_FILE='nowhere.pem': there is no such file"),
    ],
)
def test_wrong_settings(make: Make, config: dict[str, Any], problem: str) -> None:
    """Wrong settings stop the boot with a sentence."""
    with pytest.raises(ConfigError, match=problem):
        make(extensions=["peers"], **config)


@pytest.mark.parametrize(
    ("answer", "config", "status", "code"),
    [
        (slow(0.2), {"PEERS_READ_TIMEOUT": 0.05}, 504, "gateway_timeout"),
        (truncated, {"PEERS_RETRIES": 0}, 502, "bad_gateway"),
    ],
)
def test_unhandled_errors(
    shop: Shop, other: Start, answer: Any, config: dict[str, Any], status: int, code: str
) -> None:
    """A handler that does not care answers as a gateway does, and not 500."""
    response = shop(other(answer).address, **config).test_client().get("/")
    assert (response.status_code, response.get_json()["code"]) == (status, code)


def test_unreachable_peer(shop: Shop) -> None:
    """A peer that is down makes 503 with ``Retry-After``; the client does not learn which."""
    address = unused_address()
    response = shop(address, PEERS_RETRIES=0).test_client().get("/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert address not in response.text
    assert "piste" not in response.text


def test_heartbeat_shows_circuits(shop: Shop) -> None:
    """A peer that is left alone is seen on the heartbeat, which stays good."""
    app = shop(unused_address(), PEERS_RETRIES=0, PEERS_BREAKER_FAILURES=1)
    client = app.test_client()
    client.get("/")
    answer = client.get("/__heartbeat__")
    check = answer.get_json()["checks"]["peers"]
    piste = check["details"]["piste"]
    assert (answer.status_code, check["status"]) == (200, "ok")
    assert (piste["state"], piste["failures"], 9 < piste["seconds_left"] <= 10) == ("open", 1, True)


def test_request_goes_on(shop: Shop, other: Start) -> None:
    """A call has the id of the request, and no deadline where there is none."""
    app = shop(other(echo).address)
    heard = app.test_client().get("/", headers={"X-Request-Id": "ski-7"}).get_json()
    assert (heard["X-Request-Id"], "X-Deadline" in heard) == ("ski-7", False)


def test_deadline_shortens_the_timeouts(shop: Shop, other: Start) -> None:
    """A request with a deadline waits for its peers no longer than that."""
    app = shop(other(slow(0.5)).address, REQUEST_DEADLINE=0.1)
    began = time.monotonic()
    response = app.test_client().get("/")
    assert response.status_code == 504
    assert time.monotonic() - began < 0.4


def test_deadline_ends_retries(shop: Shop, other: Start) -> None:
    """No retry is made that would begin after the deadline."""
    piste = other(said(503, b"{}", Retry_After="3"))
    app = shop(piste.address, REQUEST_DEADLINE=1)
    began = time.monotonic()
    assert app.test_client().get("/").status_code == 200
    assert (len(piste.seen), time.monotonic() - began < 1) == (1, True)


def test_after_the_deadline(shop: Shop, other: Start) -> None:
    """A call after the deadline is not sent."""
    piste = other()
    app = shop(piste.address, REQUEST_DEADLINE=0.01)

    @app.get("/late")
    def late() -> Any:
        time.sleep(0.02)
        with pytest.raises(PeerTimeout, match="deadline"):
            app.peer("piste").post("x", timeout=None)
        return "late"

    assert app.test_client().get("/late").text == "late"
    assert piste.seen == []


def test_deadline_goes_on(shop: Shop, other: Start) -> None:
    """Where a header is trusted to carry deadlines, peers are told what is left in it."""
    app = shop(other(echo).address, REQUEST_DEADLINE_HEADER="X-Deadline")
    heard = app.test_client().get("/", headers={"X-Deadline": "5"}).get_json()
    assert 4 < float(heard["X-Deadline"]) <= 5


def test_certificates(make: Make, other: Start, tmp_path: Path) -> None:
    """A peer with a certificate of one's own is believed with PEERS_CA_FILE, and only then."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    piste = other()
    piste.socket = context.wrap_socket(piste.socket, server_side=True)
    addresses = {"piste": f"https://{piste.address}"}
    plain = make(extensions=["peers"], PEERS_ADDRESSES=addresses)
    with pytest.raises(plain.external.exceptions.SSLError):
        plain.peer("piste").get("x")
    trusting = make(
        extensions=["peers"], PEERS_ADDRESSES=addresses, PEERS_CA_FILE=str(tmp_path / "ca.pem")
    )
    assert trusting.peer("piste").get("x").content == b"here"


def test_close_ends_connections(make: Make, other: Start) -> None:
    """Closing the service closes its connections."""
    piste = other()
    app = make(extensions=["peers"], PEERS_ADDRESSES={"piste": piste.address})
    app.peer("piste").get("x")
    app.external.get(piste.url)
    app.close()
    assert (len(piste.connections), piste.is_left()) == (2, True)


def test_catch_as_of_requests(shop: Shop) -> None:
    """A handler may catch what it has always caught."""
    app = shop(unused_address(), PEERS_RETRIES=0)
    with pytest.raises(app.external.exceptions.RequestException) as error:
        app.peer("piste").get("x")
    assert isinstance(error.value, PeerUnavailable)
