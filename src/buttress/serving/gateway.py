"""Between a server and the application: what PEP 3333 asks for and servers leave out."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

from buttress.serving.body import UNKNOWN, Measure, length_of_body
from buttress.serving.failure import (
    BAD_REQUEST,
    CLOSE,
    FAILURES,
    SERVER_ERROR,
    TEXT,
    BrokenOff,
    close_body,
    headers_of_failure,
    log_break,
    log_failure,
)
from buttress.serving.header import (
    Headers,
    check_headers,
    check_status,
    length_of,
    lowered,
    without,
)
from buttress.serving.known import Known

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Failure: TypeAlias = (
    "tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None"
)

#: RFC 9110, 7.2: an address in brackets or a name, and a port. A comma would be two hosts.
_HOST = re.compile(
    r"(?:\[[0-9A-Za-z:.%\-_~]+\]|(?:[0-9A-Za-z\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?"
).fullmatch

#: Hosts that are well-formed.
known_hosts: Known[str] = Known()


def has_fitting_host(environ: WSGIEnvironment) -> bool:
    """Tell whether a request has the ``Host`` that HTTP/1.1 asks for, well-formed (RFC 9112, 3.2).

    An empty one is as none: an ``http`` address has a host (RFC 9110, 4.2.1).
    """
    host = environ.get("HTTP_HOST")
    if host in known_hosts:
        return True
    if not host:
        return environ.get("SERVER_PROTOCOL") != "HTTP/1.1"
    if _HOST(host) is None:
        return False
    known_hosts.note(host, host)
    return True


class Gateway:
    """Run an application behind a server that speaks WSGI itself.

    A request header ``Proxy`` is dropped, since code that makes requests takes ``HTTP_PROXY``
    for the proxy to use. A body with a length is not called terminated, so that werkzeug counts
    it and sees when it came short. Status and headers are checked, what fails before the body has
    begun becomes a 500, and calls are counted.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        #: Set once kept connections shall end with their next answer.
        self.leaving = False
        #: Requests that are being answered.
        self.busy = 0
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not has_fitting_host(environ):
            start_response("400 Bad Request", [*TEXT, CLOSE])
            return [BAD_REQUEST]
        environ = {**environ}  # the server looks into its own once more
        environ.pop("HTTP_PROXY", None)
        environ.pop("wsgi.file_wrapper", None)  # of use only to a server that sees the body itself
        if environ.get("CONTENT_LENGTH"):
            environ.pop("wsgi.input_terminated", None)
        start = _Start(self, environ, start_response)
        self._count(1)
        try:
            body = self._answer(environ, start)
        except BaseException:
            self._count(-1)
            raise
        return _Body(body, start, lambda: self._count(-1))

    def _answer(self, environ: WSGIEnvironment, start: _Start) -> Iterable[bytes]:
        try:
            return self._app(environ, start)
        except FAILURES as error:
            start.fail(error)
        return [SERVER_ERROR]

    def _count(self, change: int) -> None:
        with self._lock:
            self.busy += change


def check_call(called: bool, sent: bool, exc_info: Failure) -> None:
    """Raise where ``start_response`` may not be called: again, or too late (PEP 3333)."""
    if exc_info is None and called:
        raise RuntimeError("start_response was called again without exc_info.")
    if exc_info and exc_info[1] and sent:
        raise exc_info[1].with_traceback(exc_info[2])


class _Start:
    """The ``start_response`` of one request, held back from the server until the body begins."""

    __slots__ = (
        "_gateway",
        "_headers",
        "_measure",
        "_start",
        "_status",
        "_write",
        "environ",
        "sent",
    )

    def __init__(
        self, gateway: Gateway, environ: WSGIEnvironment, start_response: StartResponse
    ) -> None:
        self._gateway = gateway
        self.environ = environ
        self._start = start_response
        self._status = ""
        self._headers: Headers = []
        self._measure = Measure()
        self.sent = False

    def __call__(
        self, status: str, headers: Headers, exc_info: Failure = None
    ) -> Callable[[bytes], Any]:
        check_call(bool(self._status), self.sent, exc_info)
        self._announce(status, headers)
        return self._write_piece

    def _announce(self, status: str, headers: Headers) -> None:
        code = check_status(status)
        check_headers(headers)
        lengths = [length_of(value) for name, value in headers if lowered(name) == "content-length"]
        length = lengths[0] if lengths else UNKNOWN
        self._measure.left = length_of_body(self.environ.get("REQUEST_METHOD"), code, length)
        self._status, self._headers = status, [*headers]

    def next_of(self, pieces: Iterator[bytes]) -> bytes | None:
        """Take a piece of the body, or ``None``; the first makes the server begin the answer."""
        piece = self._measure.next_of(pieces)
        self._send()
        return piece

    def _send(self) -> None:
        if self.sent:
            return
        if not self._status:
            raise RuntimeError("The application did not call start_response.")
        if self._gateway.leaving:
            self._headers = [*without(self._headers, "connection"), CLOSE]
        self.sent = True
        self._write = self._start(self._status, self._headers)

    def _write_piece(self, data: bytes) -> None:
        fitting = self._measure.fit(data)
        self._send()
        self._write(fitting)

    def fail(self, error: BaseException) -> None:
        """Announce an answer of 500 instead; raise `BrokenOff` where another has begun."""
        if self.sent:
            log_break(self.environ, error)
            raise BrokenOff from None
        log_failure(self.environ, error)
        self._announce("500 Internal Server Error", headers_of_failure(self.environ))


class _Body:
    """A body whose failure is logged once, with the request's id, and told to the server."""

    __slots__ = ("_body", "_over", "_pieces", "_start")

    def __init__(self, body: Iterable[bytes], start: _Start, over: Callable[[], None]) -> None:
        self._body = body
        self._start = start
        self._over = over
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._pieces is None:
                self._pieces = iter(self._body)
            piece = self._start.next_of(self._pieces)
        except FAILURES as error:
            self._start.fail(error)
            self._pieces = iter(())
            piece = self._start.next_of(iter([SERVER_ERROR]))
        if piece is None:
            raise StopIteration
        return piece

    def close(self) -> None:
        try:
            close_body(self._body, self._start.environ)
        finally:
            self._over()
