"""Between a WSGI server and the application."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterator
from typing import Any

import pytest

from buttress.serving.failure import BrokenOff
from buttress.serving.gateway import Gateway

Called = tuple[str, list[tuple[str, str]]]


def call(gateway: Gateway, environ: dict[str, Any] | None = None) -> tuple[Called, bytes]:
    """Make one request, and give what was started and the body."""
    started: list[Called] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.append((status, headers))

    body = gateway(environ if environ is not None else {}, start_response)  # type: ignore[arg-type]  # simpler than WSGI's
    content = b"".join(body)
    body.close()  # type: ignore[attr-defined]  # it has
    return started[0], content


def application(*headers: tuple[str, str]) -> Any:
    """Make an application with these headers."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", list(headers))
        return [b"hello"]

    return app


def test_answer() -> None:
    """What the application answers goes through."""
    assert call(Gateway(application(("A", "1")))) == (("200 OK", [("A", "1")]), b"hello")


def seen(environ: dict[str, Any]) -> dict[str, Any]:
    """Make a request, and give the environment that the application saw."""
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return []

    call(Gateway(app), environ)
    return seen


def test_what_is_dropped() -> None:
    """A request header ``Proxy``, and a wrapper of files; the server's environment stays."""
    environ = {"HTTP_PROXY": "http://evil.test", "wsgi.file_wrapper": list, "HTTP_ACCEPT": "*/*"}
    before = {**environ}
    assert seen(environ) == {"HTTP_ACCEPT": "*/*"}
    assert environ == before


@pytest.mark.parametrize(("length", "terminated"), [("3", False), (None, True), ("", True)])
def test_body_with_a_length(length: str | None, terminated: bool) -> None:
    """A body with a length is not called terminated."""
    told = seen({"CONTENT_LENGTH": length, "wsgi.input_terminated": True})
    assert ("wsgi.input_terminated" in told) is terminated


def test_header_with_line_break(caplog: pytest.LogCaptureFixture) -> None:
    """A header with a line break becomes a 500, and the call is counted as over."""
    gateway = Gateway(application(("A", "1\r\n")))
    (status, headers), body = call(gateway, {"HTTP_X_REQUEST_ID": "r-1"})
    assert (status, body) == ("500 Internal Server Error", b"Internal Server Error\n")
    assert ("X-Request-Id", "r-1") in headers
    assert "header A has a line break" in caplog.text
    assert gateway.busy == 0


@pytest.mark.parametrize(
    ("value", "status"), [("Zürich", "200 OK"), ("10 €", "500 Internal Server Error")]
)
def test_characters_of_a_header(value: str, status: str) -> None:
    """A header has the characters of Latin-1; others become a 500."""
    assert call(Gateway(application(("A", value))))[0][0] == status


@pytest.mark.parametrize(
    "host",
    ["shop.test", "shop.test:80", "shop:", "127.0.0.1:8000", "[::1]:80", "[fe80::1%25e]", "a_b"],
)
def test_hosts(host: str) -> None:
    """A name or an address is a host, with a port or without."""
    environ = {"HTTP_HOST": host, "SERVER_PROTOCOL": "HTTP/1.1"}
    assert call(Gateway(application()), environ)[0][0] == "200 OK"


@pytest.mark.parametrize(
    "host", [None, "", "a b", "a/", "<>", "a,b", "u@a", "a:b", "[::1", "a]", "ä", "%4", ":80"]
)
def test_hosts_that_are_none(host: str | None) -> None:
    """A request of HTTP/1.1 without a host, or with what is none, is refused."""
    environ = {"SERVER_PROTOCOL": "HTTP/1.1"} | ({} if host is None else {"HTTP_HOST": host})
    gateway = Gateway(application())
    started: list[str] = []
    list(gateway(environ, lambda status, headers: started.append(status)))  # type: ignore[arg-type, misc]  # simpler than WSGI's
    assert (started, gateway.busy) == (["400 Bad Request"], 0)


def test_older_requests_have_no_host() -> None:
    """HTTP/1.0 does without a host."""
    assert call(Gateway(application()), {"SERVER_PROTOCOL": "HTTP/1.0"})[0][0] == "200 OK"


@pytest.mark.parametrize("error", [SystemExit(3), CancelledError("gone"), KeyboardInterrupt()])
def test_exit_in_the_application(caplog: pytest.LogCaptureFixture, error: BaseException) -> None:
    """An ``exit()`` of the application, or whatever it raises, is a failure like others."""

    def app(environ: object, start_response: object) -> list[bytes]:
        raise error

    assert call(Gateway(app))[0][0] == "500 Internal Server Error"
    assert type(error).__name__ in caplog.text


def test_failure_after_the_headers(caplog: pytest.LogCaptureFixture) -> None:
    """What was announced before a failure is not sent; the answer is a 500 with the id."""

    def app(environ: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "9")])
        raise RuntimeError("the avalanche")

    gateway = Gateway(app)
    (status, headers), body = call(gateway, {"HTTP_X_REQUEST_ID": "r-1"})
    assert (status, body) == ("500 Internal Server Error", b"Internal Server Error\n")
    assert ("X-Request-Id", "r-1") in headers
    assert "Content-Length" not in dict(headers)
    assert (len(caplog.records), gateway.busy) == (1, 0)


@pytest.mark.parametrize("status", ["99 Low", "abc", "204"])
def test_status_is_checked(caplog: pytest.LogCaptureFixture, status: str) -> None:
    """A status that is none becomes a 500, which the log explains."""
    called = call(Gateway(lambda environ, start: start(status, []) and []))[0]
    assert called[0] == ("204" if status == "204" else "500 Internal Server Error")
    assert ("is no status" in caplog.text) is (status != "204")


@pytest.mark.parametrize("error", [RuntimeError("the avalanche"), SystemExit(3)])
@pytest.mark.parametrize("before", [[], [b""]])
def test_body_that_fails_at_once(
    caplog: pytest.LogCaptureFixture, error: BaseException, before: list[bytes]
) -> None:
    """A body that fails before its first byte is answered with 500."""

    def app(environ: object, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield from before
        raise error

    (status, _), body = call(Gateway(app), {"HTTP_X_REQUEST_ID": "r-1"})
    assert (status, body) == ("500 Internal Server Error", b"Internal Server Error\n")
    assert [it.__dict__["rid"] for it in caplog.records] == ["r-1"]


@pytest.mark.parametrize("error", [RuntimeError("the avalanche"), SystemExit(3)])
def test_body_that_breaks_off(caplog: pytest.LogCaptureFixture, error: BaseException) -> None:
    """A body that fails later is logged once with the request's id, and the server is told."""

    def app(environ: object, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"snow"
        raise error

    with pytest.raises(BrokenOff):
        call(Gateway(app), {"HTTP_X_REQUEST_ID": "r-1", "PATH_INFO": "/slope"})
    assert "The body of '/slope' broke off" in caplog.text
    assert [it.__dict__["rid"] for it in caplog.records] == ["r-1"]


def body_of(pieces: Any, length: str, method: str = "GET", status: str = "200 OK") -> bytes:
    """Make a request of an application with this body and length, and give what is sent."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response(status, [("Content-Length", length)])
        return pieces

    return call(Gateway(app), {"REQUEST_METHOD": method})[1]


def test_body_that_is_longer_than_said() -> None:
    """What is too much is cut: the next answer on the connection would begin with it."""
    assert body_of(iter([b"he", b"llo", b"!"]), "4") == b"hell"
    assert body_of(iter([b"hell", b"o"]), "4") == b"hell"


def test_body_that_is_shorter_than_said(caplog: pytest.LogCaptureFixture) -> None:
    """The server is told, so that it closes the connection."""
    with pytest.raises(BrokenOff):
        body_of(iter([b"he"]), "4")
    assert "ended 2 bytes before its Content-Length" in caplog.text


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No"), ("GET", "304 No")]
)
def test_answers_without_a_body(method: str, status: str) -> None:
    """They may say how long it would be, and what is there of it is not sent."""
    assert body_of([b"hello"], "5", method, status) == b""
    assert body_of([], "5", method, status) == b""


@pytest.mark.parametrize("body", [[], ["text"], [b""]])
def test_body_that_cannot_begin(body: list[Any]) -> None:
    """A body that is not there, or has text in the place of bytes, is answered with 500."""
    assert body_of(body, "4") == b"Internal Server Error\n"


def test_start_is_called_once(caplog: pytest.LogCaptureFixture) -> None:
    """``start_response`` is called again only with what went wrong, and before the body begins."""
    again: list[Any] = [None]

    def app(environ: object, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("A", "1")])
        start_response("503 Closed", [("A", "2")], *again)
        yield b"snow"

    assert call(Gateway(app))[0][0] == "500 Internal Server Error"
    assert "called again without exc_info" in caplog.text
    error = RuntimeError("the avalanche")
    again = [(RuntimeError, error, None)]
    assert call(Gateway(app))[0] == ("503 Closed", [("A", "2")])


def test_start_after_the_begin(caplog: pytest.LogCaptureFixture) -> None:
    """What is announced once the body has begun comes too late: its cause is raised."""

    def app(environ: object, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"snow"
        start_response("500 Oh", [], (RuntimeError, RuntimeError("the avalanche"), None))

    with pytest.raises(BrokenOff):
        call(Gateway(app))
    assert "the avalanche" in caplog.text


def test_no_start(caplog: pytest.LogCaptureFixture) -> None:
    """An application that does not announce its answer has failed."""
    assert call(Gateway(lambda environ, start: []))[0][0] == "500 Internal Server Error"
    assert "did not call start_response" in caplog.text


def test_body_is_announced_when_it_begins() -> None:
    """The server is told nothing before a piece is here, or the end; ``write`` begins it."""
    told: list[str] = []

    def start(status: str, headers: object, exc_info: object = None) -> Any:
        told.append(status)
        return lambda data: told.append(data.decode())

    body: Any = Gateway(lambda environ, begin: begin("204 None", []) and [])({}, start)
    assert told == []
    assert (list(body), told) == ([], ["204 None"])
    Gateway(lambda environ, begin: begin("200 OK", [])(b"one") or [])({}, start)
    assert told[1:] == ["200 OK", "one"]


def test_body_that_fails_to_close(caplog: pytest.LogCaptureFixture) -> None:
    """A body that fails to close is logged, and the call is counted as over."""

    class Body(list[bytes]):
        def close(self) -> None:
            raise RuntimeError("the lift is stuck")

    gateway = Gateway(lambda environ, start: start("200 OK", []) and Body())
    call(gateway)
    assert "the lift is stuck" in caplog.text
    assert gateway.busy == 0


def test_leaving() -> None:
    """In a drain each answer closes its connection, and says so once."""
    gateway = Gateway(application(("connection", "keep-alive"), ("A", "1")))
    gateway.leaving = True
    assert call(gateway)[0][1] == [("A", "1"), ("Connection", "close")]


def test_busy() -> None:
    """A request is being answered until its body is closed."""
    gateway = Gateway(application())
    body: Any = gateway({}, lambda *arguments: lambda data: None)
    assert gateway.busy == 1
    body.close()
    assert gateway.busy == 0
