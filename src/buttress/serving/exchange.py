"""One request and its answer, between granian and a WSGI application (PEP 3333)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from buttress.serving.body import BODILESS, UNKNOWN, Measure, length_of_body
from buttress.serving.failure import (
    BAD_REQUEST,
    CLOSE,
    FAILURES,
    SERVER_ERROR,
    TEXT,
    close_body,
    headers_of_failure,
    log_break,
    log_failure,
)
from buttress.serving.gateway import Failure, check_call, has_fitting_host, known_hosts
from buttress.serving.header import (
    CONNECTION,
    Header,
    Headers,
    as_text,
    check_header,
    check_status,
    known_headers,
    length_of,
    lowered,
    without,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class Outlet(Protocol):
    """What granian gives to answer one request with."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...
    def response_iter(self, status: int, headers: Headers, body: Stream) -> None: ...


class Answer:
    """What an application says of its answer to one request."""

    # Defaults of the class: most answers change few of them, and an __init__ would cost more.
    status = 0
    headers: Headers
    length: int
    #: What was written, and then the begin of the body.
    chunks: Sequence[bytes] = ()
    sent = False
    #: Whether the connection may be kept.
    stays: bool

    def start(
        self, status: str, headers: Headers, exc_info: Failure = None
    ) -> Callable[[bytes], Any]:
        """Take status and headers: the ``start_response`` of PEP 3333."""
        if self.status or exc_info is not None:
            check_call(bool(self.status), self.sent, exc_info)
        self.length, self.stays = UNKNOWN, True
        self.headers = headers = [*headers]
        for header in headers:
            if header not in known_headers:
                self._take(header)
        self.status = check_status(status)
        return self._write

    def _write(self, data: bytes) -> None:
        self.chunks = [*self.chunks, data]

    def is_whole(self, body: object) -> TypeGuard[list[bytes]]:
        """Tell whether a body is one piece, as long as was said, that can be sent as it is."""
        return (
            type(body) is list
            and len(body) == 1
            and type(body[0]) is bytes
            and len(body[0]) == self.length
            and self.stays
            and not self.chunks
            and self.status not in BODILESS
        )

    def _take(self, header: Header) -> None:
        """Check a header; note what concerns the connection, of which granian writes its own."""
        name, value = header
        if name == "Content-Length" or lowered(name) == "content-length":
            self.length = length_of(value)
            return
        lower = check_header(header)
        if lower in CONNECTION:
            self.headers = [it for it in self.headers if it is not header]
            if lower == "connection" and value.lower() == "close":
                self.stays = False
        elif not value.isascii():
            carried = (name, as_text(value))
            self.headers = [carried if it is header else it for it in self.headers]


class Stream:
    """A body that granian fetches piece by piece, and closes whatever happens."""

    __slots__ = ("_body", "_chunks", "_environ", "_measure")

    def __init__(
        self,
        body: Iterable[bytes],
        chunks: Iterator[bytes],
        environ: WSGIEnvironment,
        length: int = UNKNOWN,
    ) -> None:
        self._body = body
        self._chunks = chunks
        self._environ = environ
        self._measure = Measure(length)

    def __next__(self) -> bytes:
        try:
            piece = self._measure.next_of(self._chunks)
            if piece is not None:
                return piece
        except FAILURES as error:
            log_break(self._environ, error)
        # Whatever is raised, granian ends the stream alike; of others it writes the traceback too.
        raise StopIteration

    def close(self) -> None:
        close_body(self._body, self._environ)


class Exchange:
    """Call the application for each request, in granian's threads.

    Unlike granian's own callback it leaves the process environment out of the request, refuses
    headers with line breaks, offers ``write()``, and lets werkzeug see that a body with a length
    came short.
    """

    def __init__(self, app: WSGIApplication, *, multiprocess: bool) -> None:
        self._app = app
        #: Set once kept connections shall end with their next answer.
        self.leaving = False
        self._fixed: dict[str, Any] = {
            "SCRIPT_NAME": "",
            "SERVER_SOFTWARE": "granian",
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": multiprocess,
            "wsgi.run_once": False,
        }

    def __call__(self, outlet: Outlet, scope: dict[str, Any]) -> None:
        """Answer one request; an exception before the first byte is answered with 500."""
        if is_ambiguous(scope):
            outlet.response_bytes(400, [*TEXT, CLOSE], BAD_REQUEST)
            return
        # granian makes a scope for each request, and does not look at it again.
        environ = scope
        environ.update(self._fixed)
        if "HTTP_PROXY" in environ:
            del environ["HTTP_PROXY"]
        if "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input_terminated"] = True
        answer = Answer()
        body: Iterable[bytes] = ()
        try:
            body = self._app(environ, answer.start)
            if answer.is_whole(body) and environ["REQUEST_METHOD"] != "HEAD" and not self.leaving:
                outlet.response_bytes(answer.status, answer.headers, body[0])
                return
            rest = iter(body)
            whole = _collect(answer, rest, environ["REQUEST_METHOD"])
        except FAILURES as error:
            log_failure(environ, error)
            close_body(body, environ)
            outlet.response_bytes(500, headers_of_failure(environ), SERVER_ERROR)
            return
        self._send(outlet, environ, answer, whole, body, rest)

    def _send(
        self,
        outlet: Outlet,
        environ: dict[str, Any],
        answer: Answer,
        whole: bool,
        body: Iterable[bytes],
        rest: Iterator[bytes],
    ) -> None:
        answer.sent = True
        if self.leaving or not answer.stays:
            answer.headers.append(CLOSE)
        if answer.status == 204:
            answer.headers = without(answer.headers, "content-length")
        bodiless = environ["REQUEST_METHOD"] == "HEAD" or answer.status in BODILESS
        if whole or bodiless:
            close_body(body, environ)
            content = b"" if bodiless else b"".join(answer.chunks)
            outlet.response_bytes(answer.status, answer.headers, content)
            return
        stream = Stream(body, chain(answer.chunks, rest), environ, answer.length)
        outlet.response_iter(answer.status, answer.headers, stream)


def is_ambiguous(scope: dict[str, Any]) -> bool:
    """Tell whether two servers could read a request differently, which granian lets pass.

    No or several hosts, a target that is no path, a body of which "chunked" is not the one last
    coding: RFC 9112, 3.2 and 6.1.
    """
    path = scope["PATH_INFO"]
    if path[:1] != "/" and not (path == "*" and scope["REQUEST_METHOD"] == "OPTIONS"):
        return True
    if scope.get("HTTP_HOST") not in known_hosts and not has_fitting_host(scope):
        return True
    if "HTTP_TRANSFER_ENCODING" not in scope:
        return False
    codings = [it.strip().lower() for it in scope["HTTP_TRANSFER_ENCODING"].split(",")]
    return codings[-1] != "chunked" or codings.count("chunked") > 1


def _collect(answer: Answer, rest: Iterator[bytes], method: str) -> bool:
    """Take the first piece that is not empty; tell whether it is the whole body.

    Until then nothing is sent, so that a failure can still become a 500.
    """
    ended = False
    while not any(answer.chunks) and not ended:
        piece = next(rest, None)
        ended = piece is None
        if piece is not None:
            answer.chunks = [*answer.chunks, piece]
    if not answer.status:
        raise RuntimeError("The application did not call start_response.")
    measure = Measure(length_of_body(method, answer.status, answer.length))
    answer.chunks = [measure.fit(piece) for piece in answer.chunks]
    if ended:
        measure.end()
    return ended or sum(map(len, answer.chunks)) == answer.length
