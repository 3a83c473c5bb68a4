"""One request and its answer, between granian and an application."""

from __future__ import annotations

import sys
from asyncio import CancelledError
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import pytest

from buttress.serving.exchange import Exchange, Stream
from buttress.serving.header import Headers

SCOPE = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_HOST": "shop.test"}


class Record:
    """Keep what an exchange answers."""

    status = 0
    headers: Headers
    body: bytes
    pieces: list[bytes] | None = None

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Keep a body that is whole."""
        self.status, self.headers, self.body = status, headers, body

    def response_iter(self, status: int, headers: Headers, body: Stream) -> None:
        """Fetch a body piece by piece, and close it."""
        self.status, self.headers, self.pieces = status, headers, []
        try:
            while True:
                self.pieces.append(next(body))
        except StopIteration:
            pass
        finally:
            body.close()


class Body:
    """A body that notes that it is closed."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = iter(pieces)
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces

    def close(self) -> None:
        """Count the calls."""
        self.closed += 1


def application(body: Iterable[bytes], status: str = "200 OK", *headers: tuple[str, str]) -> Any:
    """Make an application that answers so."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(status, list(headers))
        return body

    return app


def answer(app: Any, *, leaving: bool = False, **scope: Any) -> Record:
    """Run one request through an exchange."""
    exchange = Exchange(app, multiprocess=False)
    exchange.leaving = leaving
    record = Record()
    exchange(record, {**SCOPE, **scope})
    return record


def failing(first: list[bytes]) -> Iterator[bytes]:
    """Give some pieces, and fail."""
    yield from first
    raise RuntimeError("the avalanche")


def test_whole_body() -> None:
    """A body as long as its length is sent at once, and closed."""
    body = Body([b"hello"])
    record = answer(application(body, "200 OK", ("Content-Length", "5")))
    assert (record.status, record.body, record.pieces) == (200, b"hello", None)
    assert body.closed == 1


@pytest.mark.parametrize(
    ("length", "pieces", "logged"), [("6", [b"hello"], True), (None, [b"hello"], False)]
)
def test_list_that_is_not_as_long_as_said(
    length: str | None, pieces: list[bytes], logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A list of one piece is streamed where its length is another, or not said."""
    headers = [("Content-Length", length)] if length else []
    record = answer(application([b"hello"], "200 OK", *headers))
    assert (record.pieces, record.headers) == (pieces, headers)
    assert ("ended 1 bytes before its Content-Length" in caplog.text) is logged


def test_body_that_is_longer_than_said() -> None:
    """What is too much is cut: the next answer on the connection would begin with it."""
    record = answer(application([b"hello"], "200 OK", ("Content-Length", "4")))
    assert (record.body, record.pieces) == (b"hell", None)
    record = answer(application(iter([b"he", b"llo", b"!"]), "200 OK", ("Content-Length", "4")))
    assert record.pieces == [b"he", b"ll"]


@pytest.mark.parametrize("body", [[], ["text"], [b""]])
def test_body_that_fails_before_it_begins(body: list[Any]) -> None:
    """A body that is not there, or has text in the place of bytes, is answered with 500."""
    assert answer(application(body, "200 OK", ("Content-Length", "4"))).status == 500


@pytest.mark.parametrize(
    ("status", "method", "closes", "expected"),
    [
        ("200 OK", "GET", False, (b"hello", ["Content-Length"])),
        ("200 OK", "HEAD", False, (b"", ["Content-Length"])),
        ("204 No Content", "GET", False, (b"", [])),
        ("304 Not Modified", "GET", False, (b"", ["Content-Length"])),
        ("200 OK", "GET", True, (b"hello", ["Content-Length", "Connection"])),
    ],
)
def test_list_of_one_piece(
    status: str, method: str, closes: bool, expected: tuple[bytes, list[str]]
) -> None:
    """A list of one piece is treated as any other body."""
    headers = [("Content-Length", "5")] + [("Connection", "close")] * closes
    record = answer(application([b"hello"], status, *headers), REQUEST_METHOD=method)
    assert (record.body, [name for name, _ in record.headers]) == expected


def test_list_of_a_bytearray() -> None:
    """The server gets bytes, whatever the piece is that an application gives."""
    piece: Any = bytearray(b"hello")
    body = answer(application([piece], "200 OK", ("Content-Length", "5"))).body
    assert (type(body), body) == (bytes, b"hello")


def test_list_in_a_drain() -> None:
    """A drain closes the connection of a body that is sent at once, too."""
    app = application([b"hello"], "200 OK", ("Content-Length", "5"))
    record = answer(app, leaving=True)
    assert (record.body, record.headers[1:]) == (b"hello", [("Connection", "close")])


def test_streamed_body() -> None:
    """A body of unknown length is streamed, its first piece included, and closed once."""
    body = Body([b"", b"one", b"two"])
    record = answer(application(body))
    assert b"".join(record.pieces or []) == b"onetwo"
    assert body.closed == 1


def test_empty_body() -> None:
    """A body without a byte is sent at once."""
    assert answer(application([b"", b""])).body == b""


@pytest.mark.parametrize(("status", "method"), [("204 No Content", "GET"), ("200 OK", "HEAD")])
def test_no_body(status: str, method: str) -> None:
    """The answers to HEAD, and those with 204, have no body, whatever the application gives."""
    body = Body([b"hello", b"more"])
    app = application(body, status, ("Content-Length", "9"))
    record = answer(app, REQUEST_METHOD=method)
    assert (record.body, body.closed) == (b"", 1)
    assert (("Content-Length", "9") in record.headers) is (method == "HEAD")


def test_failure_before_the_first_byte() -> None:
    """A failure before the first byte becomes a 500 without the application's headers."""
    body = Body(failing([b""]))
    record = answer(application(body, "200 OK", ("X-Mine", "1")))
    assert (record.status, record.body) == (500, b"Internal Server Error\n")
    assert [name for name, _ in record.headers] == ["Content-Type", "Connection", "X-Request-Id"]
    assert body.closed == 1


def test_failure_midway(caplog: pytest.LogCaptureFixture) -> None:
    """A failure midway is logged once, with path and request id, and ends the stream."""
    body = Body(failing([b"one"]))
    record = answer(application(body), PATH_INFO="/slope\n", HTTP_X_REQUEST_ID="r-1")
    assert (record.pieces, body.closed) == ([b"one"], 1)
    assert r"The body of '/slope\n' broke off" in caplog.text
    assert [it.__dict__["rid"] for it in caplog.records] == ["r-1"]


def test_failure_to_close(caplog: pytest.LogCaptureFixture) -> None:
    """A body that fails to close is logged; the answer is sent."""
    body = Body([b"hello"])
    body.close = lambda: 1 / 0  # type: ignore[assignment]  # only here
    assert answer(application(body, "200 OK", ("Content-Length", "5"))).body == b"hello"
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\n", "\0", "\r", "10 €", "\udc80"])
def test_values_that_no_header_can_carry(value: str) -> None:
    """A header value with CR, LF, NUL or a character beyond Latin-1 becomes a 500."""
    assert answer(application([b""], "200 OK", ("X-Bad", value))).status == 500


def exiting(*_: object) -> Iterator[bytes]:
    """Be an application, or a body, that ends the process."""
    sys.exit(3)


def test_exit_in_the_application(caplog: pytest.LogCaptureFixture) -> None:
    """An ``exit()`` of the application is a failure like others, in the call and in the body."""
    assert answer(exiting).status == 500
    body = Body([b"one"])
    body.pieces = chain([b"one"], map(exiting, [0]))  # type: ignore[arg-type]  # it never gives
    assert answer(application(body)).pieces == [b"one"]
    assert caplog.text.count("SystemExit: 3") == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, CancelledError, GeneratorExit])
def test_whatever_is_raised_is_a_failure(error: type[BaseException]) -> None:
    """What an application raises ends its own request, and no worker."""

    def app(*_: object) -> list[bytes]:
        raise error

    assert answer(app).status == 500


@pytest.mark.parametrize("name", ["", "X Bad", "X-Bad:", "X-Bäd"])
def test_header_names(name: str) -> None:
    """A header name that is no token becomes a 500."""
    assert answer(application([b""], "200 OK", (name, "1"))).status == 500


def test_hop_by_hop_headers() -> None:
    """What belongs to the connection is left to the server; other headers keep their order."""
    headers = [("Keep-Alive", "5"), ("B", "1"), ("Transfer-Encoding", "chunked"), ("A", "2")]
    record = answer(application([], "200 OK", *headers, ("Connection", "keep-alive")))
    assert record.headers == [("B", "1"), ("A", "2")]


@pytest.mark.parametrize("leaving", [True, False])
def test_connection_close(leaving: bool) -> None:
    """The application may close the connection, and a drain closes each; it is said once."""
    record = answer(application([], "200 OK", ("Connection", "close")), leaving=leaving)
    assert record.headers == [("Connection", "close")]
    assert answer(application([]), leaving=leaving).headers == record.headers * leaving


def test_header_in_utf8() -> None:
    """UTF-8 that WSGI carries as Latin-1 becomes the text that granian encodes."""
    carried = "Grüße".encode().decode("latin-1")
    assert answer(application([], "200 OK", ("X", carried))).headers == [("X", "Grüße")]


def test_same_headers_again() -> None:
    """Headers that an earlier answer had are treated as they were then."""
    carried = "Grüße".encode().decode("latin-1")
    app = application(
        [], "200 OK", ("A", "1"), ("TE", "1"), ("X", carried), ("Connection", "close")
    )
    assert answer(app).headers == [("A", "1"), ("X", "Grüße"), ("Connection", "close")]
    assert answer(app).headers == [("A", "1"), ("X", "Grüße"), ("Connection", "close")]
    bad = application([], "200 OK", ("A", "1"), ("A", "1\n"))
    assert [answer(bad).status, answer(bad).status] == [500, 500]


@pytest.mark.parametrize("value", ["", "+5", "5_0", " 5", "5\n", "-1", "\u0665"])
def test_lengths_that_are_no_number(value: str) -> None:
    """A ``Content-Length`` of other than digits becomes a 500."""
    assert answer(application([b"hello"], "200 OK", ("Content-Length", value))).status == 500


def test_headers_that_change_after_the_call() -> None:
    """What an application does to its list after ``start_response`` has no effect."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        headers = [("Content-Length", "5")]
        start_response("200 OK", headers)
        headers.append(("X-Bad", "a\r\nX-Evil: 1"))
        return [b"hello"]

    assert answer(app).headers == [("Content-Length", "5")]


def test_headers_from_an_iterator() -> None:
    """Headers are checked whatever they are given in."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", iter([("X-Bad", "a\r\nX-Evil: 1")]))
        return []

    assert answer(app).status == 500


def test_write() -> None:
    """What is written goes before the body."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"one ")
        write(b"two ")
        return [b"three"]

    assert answer(app).pieces == [b"one ", b"two ", b"three"]


def test_exc_info_replaces_what_was_said() -> None:
    """Before the first byte ``exc_info`` lets an application answer anew."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "99")])
        try:
            raise RuntimeError
        except RuntimeError:
            start_response("503 Service Unavailable", [("X", "1")], sys.exc_info())
        return []

    record = answer(app)
    assert (record.status, record.headers) == (503, [("X", "1")])


def test_start_response_again_after_a_bad_header() -> None:
    """A call that was refused leaves nothing behind."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        bad = [("Content-Length", "5"), ("Connection", "close"), ("X", "\n")]
        with pytest.raises(ValueError, match="line break"):
            start_response("200 OK", bad)
        start_response("200 OK", [("X", "1")])
        return [b"hello"]

    record = answer(app)
    assert (record.headers, record.pieces) == ([("X", "1")], [b"hello"])


def test_written_before_a_list() -> None:
    """What is written counts, though the list alone is as long as said."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5")])(b"one")
        return [b"hello"]

    assert answer(app).pieces == [b"one", b"he"]


def test_start_response_twice() -> None:
    """Without ``exc_info`` a second ``start_response`` is a failure."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    assert answer(app).status == 500


def test_no_start_response() -> None:
    """An application that never calls ``start_response`` is a failure."""
    assert answer(lambda environ, start_response: [b"hello"]).status == 500


def test_environ() -> None:
    """The environ is PEP 3333's, the request's and nothing else; only chunked bodies end."""
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return []

    answer(app, HTTP_PROXY="http://evil.test", CONTENT_LENGTH="3")
    assert {name for name in seen if name.isupper()} == {
        *SCOPE,
        "CONTENT_LENGTH",
        "SCRIPT_NAME",
        "SERVER_SOFTWARE",
    }
    assert "wsgi.input_terminated" not in seen
    answer(app, HTTP_TRANSFER_ENCODING="chunked")
    assert seen["wsgi.input_terminated"]


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ({"PATH_INFO": "*"}, 400),
        ({"PATH_INFO": "*", "REQUEST_METHOD": "OPTIONS"}, 200),
        ({"PATH_INFO": ""}, 400),
        ({"HTTP_HOST": "a,b"}, 400),
        ({"HTTP_HOST": "", "SERVER_PROTOCOL": "HTTP/1.1"}, 400),
        ({"HTTP_HOST": "", "SERVER_PROTOCOL": "HTTP/1"}, 200),
        ({"HTTP_TRANSFER_ENCODING": "Chunked"}, 200),
        ({"HTTP_TRANSFER_ENCODING": "gzip, chunked"}, 200),
        ({"HTTP_TRANSFER_ENCODING": "chunked, gzip"}, 400),
        ({"HTTP_TRANSFER_ENCODING": "chunked,chunked"}, 400),
    ],
)
def test_ambiguous_requests(scope: dict[str, str], status: int) -> None:
    """A request that two servers could read differently is refused."""
    assert answer(application([]), **scope).status == status
