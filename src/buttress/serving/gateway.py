"""Between a server and the application: what PEP 3333 asks for and servers leave out."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

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
from buttress.serving.header import Headers, check_headers, without
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
_hosts: Known[str] = Known()


def has_fitting_host(environ: WSGIEnvironment) -> bool:
    """Tell whether a request has the ``Host`` that HTTP/1.1 asks for, well-formed (RFC 9112, 3.2).

    An empty one is as none: an ``http`` address has a host (RFC 9110, 4.2.1).
    """
    host = environ.get("HTTP_HOST")
    if host in _hosts:
        return True
    if not host:
        return environ.get("SERVER_PROTOCOL") != "HTTP/1.1"
    if _HOST(host) is None:
        return False
    _hosts.note(host, host)
    return True


class Gateway:
    """Run an application behind a server that speaks WSGI itself.

    A request header ``Proxy`` is dropped, since code that makes requests takes ``HTTP_PROXY``
    for the proxy to use. A body with a length is not called terminated, so that werkzeug counts
    it and sees when it came short. Response headers are checked, failures become a 500, and calls
    are counted.
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
        environ.pop("HTTP_PROXY", None)
        if environ.get("CONTENT_LENGTH"):
            environ.pop("wsgi.input_terminated", None)
        self._count(1)
        try:
            body = self._answer(environ, _Start(self, start_response))
        except BaseException:
            self._count(-1)
            raise
        return _Body(body, environ, lambda: self._count(-1))

    def _answer(self, environ: WSGIEnvironment, start: _Start) -> Iterable[bytes]:
        try:
            return self._app(environ, start)
        except FAILURES as error:
            log_failure(environ, error)
        if start.begun:
            raise BrokenOff
        start("500 Internal Server Error", headers_of_failure(environ))
        return [SERVER_ERROR]

    def _count(self, change: int) -> None:
        with self._lock:
            self.busy += change


class _Start:
    """The ``start_response`` of one request, which checks the headers."""

    __slots__ = ("_gateway", "_start", "begun")

    def __init__(self, gateway: Gateway, start_response: StartResponse) -> None:
        self._gateway = gateway
        self._start = start_response
        self.begun = False

    def __call__(
        self, status: str, headers: Headers, exc_info: Failure = None
    ) -> Callable[[bytes], Any]:
        check_headers(headers)
        if self._gateway.leaving:
            headers = [*without(headers, "connection"), CLOSE]
        self.begun = True
        return self._start(status, headers, exc_info)


class _Body:
    """A body whose failure is logged once, with the request's id, and told to the server."""

    __slots__ = ("_body", "_environ", "_over", "_pieces")

    def __init__(
        self, body: Iterable[bytes], environ: WSGIEnvironment, over: Callable[[], None]
    ) -> None:
        self._body = body
        self._environ = environ
        self._over = over
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._pieces is None:
                self._pieces = iter(self._body)
            return next(self._pieces)
        except StopIteration:
            raise
        except FAILURES as error:
            log_break(self._environ, error)
        raise BrokenOff

    def close(self) -> None:
        try:
            close_body(self._body, self._environ)
        finally:
            self._over()
