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


def test_proxy_header() -> None:
    """A request header ``Proxy`` is dropped."""
    environ = {"HTTP_PROXY": "http://evil.test", "HTTP_ACCEPT": "*/*"}
    call(Gateway(application()), environ)
    assert environ == {"HTTP_ACCEPT": "*/*"}


@pytest.mark.parametrize(("length", "terminated"), [("3", False), (None, True), ("", True)])
def test_body_with_a_length(length: str | None, terminated: bool) -> None:
    """A body with a length is not called terminated."""
    environ = {"CONTENT_LENGTH": length, "wsgi.input_terminated": True}
    call(Gateway(application()), environ)
    assert ("wsgi.input_terminated" in environ) is terminated


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


def test_failure_after_the_headers() -> None:
    """A failure after ``start_response`` is the server's to answer; it is not logged again."""

    def app(environ: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "9")])
        raise RuntimeError("the avalanche")

    gateway = Gateway(app)
    with pytest.raises(BrokenOff):
        call(gateway)
    assert gateway.busy == 0


@pytest.mark.parametrize("error", [RuntimeError("the avalanche"), SystemExit(3)])
def test_body_that_breaks_off(caplog: pytest.LogCaptureFixture, error: BaseException) -> None:
    """A body that fails is logged once with the request's id, and the server is told."""

    def app(environ: object, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        raise error
        yield b""

    with pytest.raises(BrokenOff):
        call(Gateway(app), {"HTTP_X_REQUEST_ID": "r-1", "PATH_INFO": "/slope"})
    assert "The body of '/slope' broke off" in caplog.text
    assert [it.__dict__["rid"] for it in caplog.records] == ["r-1"]


def test_body_that_fails_to_close(caplog: pytest.LogCaptureFixture) -> None:
    """A body that fails to close is logged, and the call is counted as over."""

    class Body(list[bytes]):
        def close(self) -> None:
            raise RuntimeError("the lift is stuck")

    gateway = Gateway(lambda environ, start: start("200 OK", []) or Body())  # type: ignore[func-returns-value]  # as call's
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
