"""Users that another service knows."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from buttress import Unavailable
from buttress.auth.users import LONGEST_PASSWORD, UnknownUser, User, UsersReadOnly, proxy
from buttress.auth.users.proxy import LONGEST_ANSWER, ProxyUsers
from buttress.auth.users.proxy_settings import ProxySettings
from buttress.lifecycle import Deadline
from tools.services.place import free_port

ANN = {"id": "7", "name": "Ann", "email": "ann@a.example", "roles": ["editors"]}
PASSWORDS = {"ann": "Piste 7: open ☃"}
#: Answers that do not say who somebody is: the status, the body and a header.
USELESS: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "an error": (500, b'{"id": "7"}', {}),
    "not found": (404, b'{"id": "7"}', {}),
    "too many requests": (429, b'{"id": "7"}', {}),
    "another success": (203, b'{"id": "7"}', {}),
    "a redirect": (302, b'{"id": "7"}', {"Location": "/elsewhere"}),
    "a redirect that keeps the method": (307, b"", {"Location": "http://127.0.0.1:1/"}),
    "nothing": (200, b"", {}),
    "no JSON": (200, b"<html>", {}),
    "a list": (200, b"[]", {}),
    "no id": (200, b'{"name": "ann"}', {}),
    "an empty id": (200, b'{"id": ""}', {}),
    "an id that is none": (200, b'{"id": true}', {}),
    "a name that is none": (200, b'{"id": 1, "name": "a b"}', {}),
    "roles that are none": (200, b'{"id": 1, "roles": "admin"}', {}),
    "no UTF-8": (200, b'{"id": "\xff"}', {}),
    "too much": (200, b'{"id": "' + b"x" * LONGEST_ANSWER + b'"}', {}),
    "compressed": (200, gzip.compress(b'{"id": "7"}'), {"Content-Encoding": "gzip"}),
    "deep": (200, b'{"x":' + b"[" * 30_000, {}),
}


class WhoAmI:
    """A service that knows Ann, or answers as a test says; it notes what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, str]] = []
        self.answer: Callable[[], tuple[int, bytes, dict[str, str]]] | None = None

    def reply(self, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        """Answer one request."""
        self.asked.append(headers)
        if self.answer is not None:
            return self.answer()
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        name, _, password = base64.b64decode(given).decode().partition(":")
        if scheme != "Basic" or PASSWORDS.get(name) != password:
            return 401, b"{}", {"WWW-Authenticate": "Basic"}
        return 200, json.dumps(ANN).encode(), {"Set-Cookie": "who=ann; Path=/"}


@contextmanager
def who_am_i(tls: ssl.SSLContext | None = None) -> Iterator[WhoAmI]:
    """Start one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body, headers = service.reply(dict(self.headers))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    service = WhoAmI(f"{scheme}://127.0.0.1:{server.server_port}/whoami")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def users_of(url: str, now: Callable[[], float] = time.monotonic, **settings: Any) -> Any:
    """Give the users that a service knows."""
    with closing(ProxyUsers(url, ProxySettings(**settings), now)) as users:
        yield users


@pytest.fixture
def service() -> Iterator[WhoAmI]:
    """Give a service."""
    with who_am_i() as service:
        yield service


@pytest.fixture
def users(service: WhoAmI) -> Iterator[ProxyUsers]:
    """Give its users."""
    with users_of(service.url) as users:
        yield users


def test_who_somebody_is(users: ProxyUsers) -> None:
    """The service says who has a name and a password, in any letters."""
    found = users.authenticate("ANN", PASSWORDS["ann"])
    roles = frozenset({"editors"})
    assert found == User(id="7", name="ann", email="ann@a.example", roles=roles)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal(users: ProxyUsers, service: WhoAmI, status: int) -> None:
    """A refusal is nobody, and is asked for again each time."""
    service.answer = lambda: (status, b"no", {})
    for _ in range(2):
        assert users.authenticate("ann", PASSWORDS["ann"]) is None
    assert len(service.asked) == 2
    service.answer = None
    assert users.authenticate("ann", PASSWORDS["ann"]) is not None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id": 7}', User(id="7", name="ann")),
        (b'{"userid": "u-7", "syncNode": "x"}', User(id="u-7", name="ann")),
        (b'{"id": "7", "userid": "8", "email": null}', User(id="7", name="ann")),
    ],
    ids=["a number", "another key", "both"],
)
def test_what_an_answer_may_lack(
    users: ProxyUsers, service: WhoAmI, body: bytes, expected: User
) -> None:
    """An id is enough, by either of its names; the name is then the one that was typed."""
    service.answer = lambda: (200, body, {})
    assert users.authenticate("Ann", "x") == expected


@pytest.mark.parametrize("answer", USELESS.values(), ids=USELESS)
def test_a_useless_answer(
    users: ProxyUsers, service: WhoAmI, answer: tuple[int, bytes, dict[str, str]]
) -> None:
    """What does not say who somebody is, is an outage, and no redirect is followed."""
    service.answer = lambda: answer
    with pytest.raises(Unavailable):
        users.authenticate("ann", PASSWORDS["ann"])
    assert len(service.asked) == 1
    service.answer = None
    assert users.authenticate("ann", PASSWORDS["ann"]) is not None


def test_an_outage_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log says why, and neither it nor the error has the password."""
    with (
        users_of(f"http://127.0.0.1:{free_port()}/") as users,
        pytest.raises(Unavailable) as caught,
    ):
        users.authenticate("ann", "flock-of-sheep")
    assert "127.0.0.1 does not say who somebody is" in caplog.text
    assert "flock" not in f"{caplog.text}{caught.value!r}{caught.value.__cause__!r}"
    assert base64.b64encode(b"ann:flock-of-sheep").decode() not in caplog.text


def test_a_service_that_says_nothing() -> None:
    """A service that takes the connection and is silent is given up in time."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        users_of(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.2) as users,
    ):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            users.authenticate("ann", "x")
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("left", [0.0, 0.2])
def test_a_request_that_waits_no_longer(monkeypatch: pytest.MonkeyPatch, left: float) -> None:
    """The deadline of a request shortens the timeout, also where it has passed."""
    monkeypatch.setattr(proxy, "current_deadline", lambda: Deadline(left))
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        users_of(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=60) as users,
    ):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            users.authenticate("ann", "x")
        assert time.monotonic() - began < 2


def test_a_service_is_remembered_for_a_time(service: WhoAmI) -> None:
    """The same password is asked for once within the time, and again after it."""
    now = 1000.0
    with users_of(service.url, lambda: now, remember=60) as users:
        for _ in range(3):
            assert users.authenticate("ann", PASSWORDS["ann"]) is not None
        assert len(service.asked) == 1
        now += 61
        service.answer = lambda: (401, b"", {})
        assert users.authenticate("ann", PASSWORDS["ann"]) is None


def test_only_the_same_password_is_remembered(users: ProxyUsers, service: WhoAmI) -> None:
    """Another password, and another split of name and password, is asked for."""
    assert users.authenticate("ann", PASSWORDS["ann"]) is not None
    for name, password in (("ann", "x"), ("ann", PASSWORDS["ann"] + "x"), ("bob", "x")):
        assert users.authenticate(name, password) is None
    assert len(service.asked) == 4
    kept = repr(users._recent._values)
    assert PASSWORDS["ann"] not in kept
    with users_of(service.url) as other:
        assert other.authenticate("ann", PASSWORDS["ann"]) is not None
        assert not users._recent._values.keys() & other._recent._values.keys()


def test_nothing_is_remembered(service: WhoAmI) -> None:
    """0 seconds ask each time."""
    with users_of(service.url, remember=0) as users:
        for _ in range(2):
            assert users.authenticate("ann", PASSWORDS["ann"]) is not None
    assert len(service.asked) == 2


def test_no_cookie_is_kept(users: ProxyUsers, service: WhoAmI) -> None:
    """What the service sets for one user is not sent with the next."""
    assert users.authenticate("ann", PASSWORDS["ann"]) is not None
    assert users.authenticate("bob", "x") is None
    assert [it.get("Cookie") for it in service.asked] == [None, None]


def test_the_environment_has_no_say(
    users: ProxyUsers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a .netrc nor a proxy of the environment changes who is asked, and about whom."""
    (tmp_path / "netrc").write_text("default login eve password flock\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    assert users.authenticate("ann", PASSWORDS["ann"]) is not None
    assert users.authenticate("bob", "x") is None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("a:b", "x"),
        ("", "x"),
        ("ann\r\nX: y", "x"),
        ("ann", ""),
        ("ann", "\ud800"),
        ("ann", "x" * (LONGEST_PASSWORD + 1)),
    ],
    ids=range(6),
)
def test_what_cannot_be_asked(users: ProxyUsers, service: WhoAmI, name: str, password: str) -> None:
    """What is no name or no password is not sent anywhere."""
    assert users.authenticate(name, password) is None
    assert service.asked == []


def test_the_certificate_is_verified(tmp_path: Path) -> None:
    """The service is trusted by the authorities that are named, and by no other."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with who_am_i(tls) as service:
        with users_of(service.url, ca_file=tmp_path / "authority.pem") as users:
            assert users.authenticate("ann", PASSWORDS["ann"]) is not None
        with users_of(service.url) as users, pytest.raises(Unavailable):
            users.authenticate("ann", PASSWORDS["ann"])
        assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://id.example/whoami", "in the clear"),
        ("ftp://id.example/", "must be written as"),
        ("https:///whoami", "must be written as"),
        ("https://ann:flock@id.example/", "no user"),
        ("https://id.example/#x", "no user"),
        ("https://id.example:flock/", "is no URL"),
    ],
)
def test_a_bad_address(url: str, message: str) -> None:
    """What cannot be asked, or only in the clear, is refused in words without a password."""
    with pytest.raises(ValueError, match=message) as caught:
        ProxyUsers(url, ProxySettings())
    assert "flock" not in str(caught.value)


def test_users_are_kept_elsewhere(users: ProxyUsers, service: WhoAmI) -> None:
    """Without a password nobody is found, and nothing is changed here."""
    assert users.get("ann") is None
    with pytest.raises(UnknownUser):
        users.info("ann")
    for change in (
        lambda: users.create("ann", "x"),
        lambda: users.update("ann", email=None),
        lambda: users.change_password("ann", "x"),
        lambda: users.delete("ann"),
        users.all,
    ):
        with pytest.raises(UsersReadOnly):
            change()
    assert service.asked == []


def test_a_ping(users: ProxyUsers, service: WhoAmI) -> None:
    """The service must refuse who says nothing, and no login fails for it."""
    users.ping()
    assert "Authorization" not in service.asked[0]
    for answer in ((200, b'{"id": 1}', {}), (500, b"", {})):
        service.answer = lambda answer=answer: answer
        with pytest.raises(Unavailable):
            users.ping()


def test_settings() -> None:
    """A file of authorities must be there."""
    assert list(ProxySettings().problems()) == []
    (problem,) = ProxySettings(ca_file=Path("/no/such/file")).problems()
    assert problem == "AUTH_PROXY_CA_FILE: there is no file /no/such/file."
