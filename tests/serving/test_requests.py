"""What every production server does with a request and its answer."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers import require_server
from tests.serving.running import PACKAGE, Running

Start = Callable[..., Running]
SERVERS = ("granian", "gunicorn", "bjoern")
SECRET = "kG8wqP2vXz5nB7mL4tR9yH3jF6dS1aC0"


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """Name each production server in turn."""
    require_server(request.param)
    return str(request.param)


def test_environ(start: Start, server: str) -> None:
    """Neither the process environment nor a header ``Proxy`` is in a request's environ."""
    running = start(SERVER=server, SECRET_KEY=SECRET, CANARY="in the mine")
    answer = running.ask("/environ", headers={"Proxy": "http://evil.test"})
    environ = json.loads(answer.body)
    assert "HTTP_PROXY" not in environ
    assert "PATH" not in environ
    assert "in the mine" not in answer.body.decode()
    assert SECRET not in answer.body.decode()
    assert json.loads(running.ask("/secret").body) == {"known": True, "visible": False}


def test_header_with_line_break(start: Start, server: str) -> None:
    """A response header with a line break is answered with 500, and the next request is not."""
    running = start(SERVER=server)
    answer = running.ask("/split")
    assert answer.status == 500
    assert "x-evil" not in answer.headers
    assert running.ask("/").status == 200
    assert "X-Bad has a line break" in running.text()


def test_header_beyond_latin_1(start: Start, server: str) -> None:
    """A response header that Latin-1 cannot carry is a 500, in the access log too."""
    running = start(SERVER=server)
    answer = running.ask("/beyond", headers={"X-Request-Id": "r-1"})
    assert (answer.status, answer.body) == (500, b"Internal Server Error\n")
    assert answer.headers["x-request-id"] == "r-1"
    assert "X-Price has characters beyond Latin-1" in running.text()


def test_exit_in_a_view(start: Start, server: str) -> None:
    """A view that calls ``exit()`` is answered with an error page; its worker lives on."""
    running = start(SERVER=server)
    worker = running.ask("/pid").body
    answer = running.ask("/exit", headers={"X-Request-Id": "r-1"})
    assert (answer.status, answer.headers["x-request-id"]) == (500, "r-1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert running.ask("/pid").body == worker
    assert "SystemExit: 3" in running.text()


@pytest.mark.parametrize("host", [b"", b"Host: \r\n", b"Host: a b\r\n", b"Host: a/<>\r\n"])
def test_host(start: Start, server: str, host: bytes) -> None:
    """A request of HTTP/1.1 without a host, or with what is none, is refused."""
    answer = start(SERVER=server).send(b"GET / HTTP/1.1\r\n%bConnection: close\r\n\r\n" % host)
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_bodies(start: Start, server: str) -> None:
    """Bodies come back whole: with a length, chunked, and megabytes."""
    running = start(SERVER=server)
    large = bytes(range(256)) * 8192
    assert running.ask("/echo", "POST", body=b"small").body == b"small"
    assert running.ask("/echo", "POST", body=large).body == large
    chunks = iter([b"in ", b"pieces"])
    assert running.ask("/echo", "POST", body=chunks, encode_chunked=True).body == b"in pieces"


def test_head(start: Start, server: str) -> None:
    """HEAD gives the headers of GET and no body."""
    running = start(SERVER=server)
    head = running.send(b"HEAD / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"content-length: 4" in head.lower()
    assert head.endswith(b"\r\n\r\n")


def test_stream(start: Start, server: str) -> None:
    """Pieces of a streamed body are sent as they come."""
    running = start(SERVER=server)
    with running.connect() as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        received, before = b"", time.monotonic()
        while b"piece 0" not in received:
            received += connection.recv(4096)
        first = time.monotonic()
        while b"piece 4" not in received:
            received += connection.recv(4096)
    assert time.monotonic() - first > 0.1
    assert first - before < 0.2


def test_stream_that_breaks_off(start: Start, server: str) -> None:
    """A body that breaks off is visible to the client; with granian only if it has a length."""
    running = start(SERVER=server)
    with pytest.raises(http.client.IncompleteRead):
        running.ask("/breaks-with-length")
    if server == "granian":
        assert running.ask("/breaks").body.count(b"piece") == 5
    else:
        with pytest.raises(http.client.IncompleteRead):
            running.ask("/breaks")
    records = [it for it in running.text().splitlines() if "RuntimeError: the avalanche" in it]
    assert len(records) == 2
    assert all('"rid":' in it and "broke off" in it for it in records)
    assert "BrokenOff" not in running.text()


def test_streams_at_a_time(start: Start, server: str) -> None:
    """A stream with its request's context keeps it while others are sent; none of it is left."""
    running = start(SERVER=server)
    with ThreadPoolExecutor(8) as pool:
        bodies = pool.map(lambda number: running.ask(f"/own/{number}").body.decode(), range(8))
        assert list(bodies) == [f"{number} /own/{number} " * 4 for number in range(8)]
    assert json.loads(running.ask("/left").body) == []


def test_length_that_does_not_fit(start: Start, server: str) -> None:
    """No body reaches into the next answer: one too long is cut, one too short is a failure."""
    running = start(SERVER=server)
    client = http.client.HTTPConnection("shop.test")
    client.sock = running.connect()
    for path, body in (("/measured/3", b"pie"), ("/measured/5", b"piece"), ("/", b"here")):
        client.request("GET", path)
        assert client.getresponse().read() == body
    client.close()
    # A server that breaks off may take along the head of the answer, if it is not sent yet.
    with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected)):
        running.ask("/measured/9")
    assert "ended 4 bytes before its Content-Length" in running.text()


def test_file(start: Start, server: str) -> None:
    """A file comes whole, and in parts."""
    running = start(SERVER=server)
    whole = running.ask("/file")
    assert (whole.status, whole.body) == (200, PACKAGE.encode())
    part = running.ask("/file", headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, PACKAGE.encode()[10:20])


def test_upload_that_breaks_off(start: Start, server: str) -> None:
    """A request whose body came short of its length is not taken for a whole one."""
    running = start(SERVER=server)
    head = b"POST /echo HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100\r\n\r\n"
    with running.connect() as connection:
        connection.sendall(head + b"short")
        time.sleep(0.3)
    running.ask("/")
    assert "POST /echo 200" not in running.text()


@pytest.mark.parametrize("name", ["granian", "gunicorn"])
def test_write(start: Start, name: str) -> None:
    """The ``write()`` of PEP 3333 works; bjoern has none."""
    require_server(name)
    running = start(SERVER=name)
    assert running.ask("/write").body == b"one two"


def test_kept_connection(start: Start, server: str) -> None:
    """Two requests are answered on one connection."""
    running = start(SERVER=server)
    client = http.client.HTTPConnection("shop.test")
    client.sock = running.connect()
    for _ in range(2):
        client.request("GET", "/")
        assert client.getresponse().read() == b"here"
    client.close()


@pytest.mark.parametrize("name", ["granian", "gunicorn"])
def test_no_kept_connection(start: Start, name: str) -> None:
    """With KEEP_ALIVE=0 each connection is closed after its answer."""
    require_server(name)
    running = start(SERVER=name, KEEP_ALIVE=0)
    before = time.monotonic()
    answer = running.send(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
    assert answer.endswith(b"here")
    assert time.monotonic() - before < 2


@pytest.mark.parametrize("name", ["granian", "gunicorn"])
def test_idle_connection_is_closed(start: Start, name: str) -> None:
    """A connection that was idle for KEEP_ALIVE seconds is closed."""
    require_server(name)
    running = start(SERVER=name, KEEP_ALIVE=1)
    before = time.monotonic()
    assert running.send(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n", 6).endswith(b"here")
    assert 0.7 < time.monotonic() - before < 4


@pytest.mark.parametrize("name", ["granian", "gunicorn"])
def test_header_limit(start: Start, name: str) -> None:
    """A header over HEADER_LIMIT is refused with 431, and one below it is not."""
    require_server(name)
    running = start(SERVER=name, HEADER_LIMIT=16384)
    assert running.ask("/", headers={"X-Long": "a" * 12000}).status == 200
    assert running.ask("/", headers={"X-Long": "a" * 20000}).status == 431


@pytest.mark.parametrize("name", ["granian", "gunicorn"])
def test_threads(start: Start, name: str) -> None:
    """A worker handles as many requests at a time as it has THREADS."""
    require_server(name)
    running = start(SERVER=name, THREADS=2)
    with ThreadPoolExecutor() as pool:
        before = time.monotonic()
        answers = [pool.submit(running.ask, "/slow?seconds=0.5") for _ in range(4)]
        assert {it.result().status for it in answers} == {200}
    assert 0.9 < time.monotonic() - before < 1.9


@pytest.mark.parametrize("name", ["granian", "gunicorn"])
def test_connections(start: Start, name: str) -> None:
    """A worker leaves further clients waiting while it has as many CONNECTIONS as allowed."""
    require_server(name)
    # As many threads as connections: one that waits for its headers holds one with gunicorn.
    running = start(SERVER=name, CONNECTIONS=2, THREADS=2)
    head = b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"
    with running.connect() as one, running.connect() as two:
        one.sendall(head[:20])
        two.sendall(head[:20])
        time.sleep(0.3)
        assert running.send(head, 0.5) == b""
        one.sendall(head[20:])
        assert one.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert running.send(head).endswith(b"here")
