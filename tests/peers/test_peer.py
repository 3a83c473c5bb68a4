from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
import requests

from buttress.peers import PeerError, PeerUnavailable
from buttress.web import correlated
from tests.peers.conftest import Meet
from tests.peers.other import Other, echo, said, truncated, unused_address

Start = Callable[..., Other]


@pytest.mark.parametrize("path", ["login", "/login", "//login"])
@pytest.mark.parametrize(("prefix", "expected"), [("", "/login"), ("/api/v1/", "/api/v1/login")])
def test_paths(other: Start, meet: Meet, path: str, prefix: str, expected: str) -> None:
    """A path comes after the address with one slash between them."""
    piste = other()
    meet(f"http://{piste.address}{prefix}").peer("piste").get(path)
    assert piste.seen[0].path == expected


def test_path_cannot_leave_the_peer(other: Start, meet: Meet) -> None:
    """Whatever a path is, it is asked of the peer."""
    piste = other()
    peer = meet(piste.address).peer("piste")
    for path in ("http://evil.example/", "//evil.example/", "@evil.example/", ":80@evil/", ""):
        peer.get(path)
    assert len(piste.seen) == 5


@pytest.mark.parametrize(
    ("call", "method", "path", "body"),
    [
        (lambda it: it("x", {"a": "1"}), "get", "/x?a=1", b""),
        (lambda it: it("x"), "head", "/x", b""),
        (lambda it: it("x"), "options", "/x", b""),
        (lambda it: it("x", {"a": "1"}), "post", "/x", b"a=1"),
        (lambda it: it("x", None, {"a": 1}), "post", "/x", b'{"a": 1}'),
        (lambda it: it("x", b"raw"), "put", "/x", b"raw"),
        (lambda it: it("x", json={"a": 1}), "patch", "/x", b'{"a": 1}'),
        (lambda it: it("x", params={"a": "1"}), "delete", "/x?a=1", b""),
        (lambda it: it("report", "x", data="a"), "request", "/x", b"a"),
    ],
)
@pytest.mark.parametrize("outside", [False, True])
def test_methods(
    other: Start, meet: Meet, outside: bool, call: Any, method: str, path: str, body: bytes
) -> None:
    """Every method of requests is there, with its arguments in their order."""
    piste = other()
    peers = meet(piste.address)
    target = getattr(peers.external if outside else peers.peer("piste"), method)

    def at(*arguments: Any, **more: Any) -> Any:
        place = [f"{piste.url}/x" if it == "x" and outside else it for it in arguments]
        return target(*place, **more)

    assert call(at).status_code == 200
    seen = piste.seen[0]
    expected = "REPORT" if method == "request" else method.upper()
    assert (seen.method, seen.path, seen.body) == (expected, path, body)


def test_keywords_of_requests(other: Start, meet: Meet) -> None:
    """Headers, cookies, files, auth, hooks and streaming are passed on."""
    piste, heard = other(said(200, b"lift")), []
    answer = (
        meet(piste.address)
        .peer("piste")
        .post(
            "x",
            headers={"X-Lift": "7"},
            cookies={"a": "b"},
            files={"map": b"snow"},
            auth=("user", "word"),
            hooks={"response": lambda it, **_: heard.append(it.status_code)},
            stream=True,
            verify=False,
        )
    )
    seen = piste.seen[0]
    assert (answer.raw.read(), heard) == (b"lift", [200])
    assert (seen.headers["X-Lift"], seen.headers["Cookie"]) == ("7", "a=b")
    assert seen.headers["Authorization"] == "Basic dXNlcjp3b3Jk"
    assert b"snow" in seen.body
    answer.close()


def test_answer_is_of_requests(other: Start, meet: Meet) -> None:
    """The answer is a Response of requests, its body decoded."""
    piste = other(said(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip"))
    answer = meet(piste.address).peer("piste").get("x")
    assert (type(answer), answer.json()) == (requests.Response, {"a": 1})


def test_head_follows_no_redirect(other: Start, meet: Meet) -> None:
    """HEAD stays where it is, as in requests; GET follows."""
    piste = other(said(302, Location="/y"), said(302, Location="/y"), said(200))
    peer = meet(piste.address).peer("piste")
    assert [peer.head("x").status_code, peer.get("x").status_code] == [302, 200]


def test_no_cookies_are_kept(other: Start, meet: Meet) -> None:
    """What a peer sets for one caller does not go along with the next call."""
    piste = other(said(200, Set_Cookie="session=anna; Path=/"))
    peers = meet(piste.address)
    assert peers.peer("piste").get("x").cookies["session"] == "anna"
    peers.peer("piste").get("x")
    peers.external.get(piste.url)
    peers.external.get(piste.url)
    assert ["Cookie" in seen.headers for seen in piste.seen] == [False] * 4


def test_cookies_live_through_a_redirect(other: Start, meet: Meet) -> None:
    """Within one call a cookie that comes with a redirect is sent, as in requests."""
    piste = other(said(302, Location="/y", Set_Cookie="a=b; Path=/"), said(200))
    meet(piste.address).peer("piste").get("x")
    assert piste.seen[1].headers["Cookie"] == "a=b"


def test_authorization_stays_with_the_peer(other: Start, meet: Meet) -> None:
    """A redirect to another host does not get the caller's identity."""
    elsewhere = other(echo)
    piste = other(said(302, Location=elsewhere.url))
    answer = meet(piste.address).peer("piste").get("x", headers={"Authorization": "Bearer a"})
    assert "Authorization" not in answer.json()


@pytest.mark.parametrize(
    "given", [{"cookies": {"session": "anna"}}, {"headers": {"Cookie": "session=anna"}}]
)
def test_cookies_stay_with_the_peer(other: Start, meet: Meet, given: dict[str, Any]) -> None:
    """Cookies of a call go along with a redirect of the peer to itself only."""
    elsewhere = other(echo)
    piste = other(said(302, Location="/y"), said(302, Location=elsewhere.url))
    answer = meet(piste.address).peer("piste").get("x", **given)
    assert "Cookie" not in answer.json()
    assert ("Cookie" in piste.seen[1].headers) is ("cookies" in given)


@pytest.mark.parametrize("outside", [False, True])
def test_request_id(other: Start, meet: Meet, outside: bool) -> None:
    """Every call has the id of the work that causes it."""
    piste = other(echo)
    peers = meet(piste.address)
    with correlated("ski-7"):
        answer = peers.external.get(piste.url) if outside else peers.peer("piste").get("x")
    assert answer.json()["X-Request-Id"] == "ski-7"


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id"])
def test_own_request_id_wins(other: Start, meet: Meet, name: str) -> None:
    """An id that the caller gives is sent, in whatever case it is written."""
    piste = other(echo)
    with correlated("ski-7"):
        meet(piste.address).peer("piste").get("x", headers={name: "mine"})
    ids = [it for key, it in piste.seen[0].headers.items() if key.lower() == "x-request-id"]
    assert ids == ["mine"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"auto_auth": True}, "Bearer minted"),
        ({"auto_auth": False}, None),
        ({}, None),
        ({"auto_auth": True, "headers": {"authorization": "Bearer own"}}, "Bearer own"),
        ({"auto_auth": True, "headers": {"authorization": None}}, None),
        ({"auto_auth": True, "auth": ("a", "b")}, "Basic YTpi"),
        ({"auto_auth": True, "auth": lambda request: request}, None),
    ],
)
def test_auto_auth(other: Start, meet: Meet, options: dict[str, Any], expected: str | None) -> None:
    """The caller's identity goes along where asked for; what the call itself says wins."""
    piste = other(echo)
    peers = meet(piste.address)
    peers.authorize = lambda: "Bearer minted"
    answer = peers.peer("piste").get("x", **options).json()
    given = {key.lower(): it for key, it in answer.items()}
    assert given.get("authorization") == expected


@pytest.mark.parametrize("authorize", [None, lambda: None])
def test_auto_auth_on_an_open_route(other: Start, meet: Meet, authorize: Any) -> None:
    """Where nothing is protected there is no identity to send, and that is no error."""
    piste = other(echo)
    peers = meet(piste.address)
    peers.authorize = authorize
    assert "Authorization" not in peers.peer("piste").get("x", auto_auth=True).json()


def test_errors_are_logged(other: Start, meet: Meet, caplog: pytest.LogCaptureFixture) -> None:
    """A call without an answer is one warning with the peer and the reason."""
    piste = other(truncated)
    with pytest.raises(PeerError) as error:
        meet(piste.address, retries=0).peer("piste").get("x?token=abc")
    assert isinstance(error.value, requests.exceptions.ChunkedEncodingError)
    assert [it.getMessage() for it in caplog.records] == [
        "GET piste: IncompleteRead(4 bytes read, 96 more expected)"
    ]


def test_being_left_alone_is_logged_once(meet: Meet, caplog: pytest.LogCaptureFixture) -> None:
    """What is not called because it fails does not fill the log."""
    peer = meet(unused_address(), retries=0, breaker_failures=2).peer("piste")
    for _ in range(10):
        with pytest.raises(PeerUnavailable):
            peer.get("x")
    assert len(caplog.records) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Location": "http://[piste"},
        {"Location": "http://\0/"},
        {"Location": "\xff\xfe"},
        {"Content_Length": "1"},
    ],
)
def test_headers_that_mean_nothing(other: Start, meet: Meet, headers: dict[str, str]) -> None:
    """An answer that cannot be understood is the peer's failure, not an error of this service."""
    piste = other(said(302, b"lift", **headers))
    with pytest.raises(PeerError) as error:
        meet(piste.address, retries=0).peer("piste").get("x")
    assert (error.value.code, error.value.peer) == (502, "piste")


def test_error_is_not_its_own_cause(meet: Meet) -> None:
    """Who walks along the causes of an error comes to an end."""
    peer = meet(unused_address(), retries=0, breaker_failures=1).peer("piste")
    for cause in (requests.ConnectionError, type(None)):
        with pytest.raises(PeerUnavailable) as error:
            peer.get("x")
        assert type(error.value.__cause__) is cause


def test_external_names_the_host(meet: Meet) -> None:
    """An error of the world outside names the host, without password and path."""
    address = unused_address()
    with pytest.raises(PeerUnavailable) as error:
        meet(retries=0).external.get(f"http://me:word@{address}/x?token=abc")
    text = str(error.value)
    assert (text.partition(": ")[0], text.endswith("Connection refused")) == (address, True)


def test_external_has_exceptions(meet: Meet) -> None:
    """Code that was written for the module finds its errors in the same place."""
    external = meet(retries=0).external
    with pytest.raises(external.exceptions.ConnectionError):
        external.get(f"http://{unused_address()}/")
