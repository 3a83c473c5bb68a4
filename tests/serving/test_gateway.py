"""Between a WSGI server and the application."""

from __future__ import annotations

from typing import Any

import pytest

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


def test_header_with_line_break() -> None:
    """A header with a line break is refused, and the call is counted as over."""
    gateway = Gateway(application(("A", "1\r\n")))
    with pytest.raises(ValueError, match="header A has a line break"):
        call(gateway)
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
