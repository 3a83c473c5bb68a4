"""The edge: what every answer of a service has, and who is told of it, whatever made it.

The engine asks it on the way of each request (`buttress.engine`); nothing here opens a session or
runs a hook of the application's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

from werkzeug.wrappers import Response

from buttress.web.deadline import BEGAN

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from buttress.service import Service

logger = logging.getLogger("buttress.web")

Headers: TypeAlias = list[tuple[str, str]]
Probe: TypeAlias = "Callable[[WSGIEnvironment], Response]"
Shortcut: TypeAlias = "Callable[[WSGIEnvironment], Response | None]"
Constant: TypeAlias = "Callable[[str, bool], Headers]"
Mark: TypeAlias = "Callable[[WSGIEnvironment], str]"
Finisher: TypeAlias = "Callable[[WSGIEnvironment, Headers], None]"
Observer: TypeAlias = "Callable[[WSGIEnvironment, str | None, int, float, bool], None]"

#: The lines of this number of content types are remembered.
KINDS = 100
#: Set in the environment of a request that a probe answered.
PROBE = "buttress.probe"


class Edge:
    """What the extensions have put around the application."""

    def __init__(self) -> None:
        #: Path → answer, before any hook of the application; not in the access log.
        self.probes: dict[str, Probe] = {}
        #: Tried in order; the first answer that is not ``None`` is sent.
        self.shortcuts: list[Shortcut] = []
        #: Give lines by content type, and whether by HTTPS, for answers without such lines.
        self.constants: list[Constant] = []
        #: Header → its value in the answer to a request, instead of any that the answer has.
        self.marks: dict[str, Mark] = {}
        #: Change the headers of every answer.
        self.finishers: list[Finisher] = []
        #: Told of every answer that is complete: the rule of its route, status, seconds, and
        #: whether it broke off after its begin. The status is 500 where an exception gets through
        #: to the server.
        self.observers: list[Observer] = []
        self._lines: dict[tuple[str, str], Headers] = {}

    def take(self, environ: WSGIEnvironment) -> WSGIApplication | None:
        """Note that a request has come; give what answers it, where the application need not."""
        environ[BEGAN] = perf_counter()
        try:
            return self._answering(environ)
        except BaseException:
            self.tell(environ, None, 500)
            raise

    def _answering(self, environ: WSGIEnvironment) -> WSGIApplication | None:
        probe = self.probes.get(environ.get("PATH_INFO", ""))
        if probe is not None:
            environ[PROBE] = True
            return probe(environ)
        for shortcut in self.shortcuts:
            response = shortcut(environ)
            if response is not None:
                return response
        return None

    def finish(
        self, environ: WSGIEnvironment, headers: Headers, content_type: str | None = None
    ) -> None:
        """Complete the headers of an answer.

        ``content_type`` is given where type and length are all that the headers say so far.
        """
        if content_type is None:
            self._complete(environ, headers)
        else:
            headers += self.lines(content_type, environ["wsgi.url_scheme"])
            for name, value_of in self.marks.items():
                headers.append((name, value_of(environ)))
        for finish in self.finishers:
            finish(environ, headers)

    def _complete(self, environ: WSGIEnvironment, headers: Headers) -> None:
        marks = {name.lower() for name in self.marks}
        headers[:] = [pair for pair in headers if pair[0].lower() not in marks]
        present = {name.lower(): value for name, value in headers}
        lines = self.lines(present.get("content-type", ""), environ["wsgi.url_scheme"])
        headers += [line for line in lines if line[0].lower() not in present]
        headers += [(name, value_of(environ)) for name, value_of in self.marks.items()]

    def lines(self, content_type: str, scheme: str) -> Headers:
        """Give the lines that are the same for all answers of a type."""
        lines = self._lines.get((content_type, scheme))
        if lines is None:
            kind = content_type.partition(";")[0].strip().lower()
            https = scheme == "https"
            lines = [line for constant in self.constants for line in constant(kind, https)]
            if len(self._lines) < KINDS:
                self._lines[content_type, scheme] = lines
        return lines

    def tell(
        self, environ: WSGIEnvironment, route: str | None, status: int, failed: bool = False
    ) -> None:
        """Tell the observers what became of a request; one that fails is logged."""
        seconds = perf_counter() - environ[BEGAN]
        for observe in self.observers:
            try:
                observe(environ, route, status, seconds, failed)
            except Exception:
                logger.exception("%r failed to observe a request", observe)

    def follow(
        self, environ: WSGIEnvironment, route: str | None, status: int, body: Iterable[bytes]
    ) -> Iterable[bytes]:
        """Tell of an answer: at its end, or now where the server has it all or reads a file."""
        if isinstance(body, list | tuple) or _is_file(environ, body):
            self.tell(environ, route, status)
            return body
        return Stream(body, partial(self._tell_end, environ, lambda: (route, status)))

    def pass_through(
        self, application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer by any WSGI application."""
        start = self.start(environ, start_response)
        try:
            body = application(environ, start)
        except BaseException:
            self.tell(environ, start.route, 500)
            raise
        return self.follow_start(environ, start, body)

    def start(
        self, environ: WSGIEnvironment, start_response: StartResponse, route: str | None = None
    ) -> Start:
        """Give what an application is to begin its answer with, instead of ``start_response``.

        ``route`` is the rule of the request, where it is known already.
        """
        return Start(self, environ, start_response, route)

    def follow_start(
        self, environ: WSGIEnvironment, start: Start, body: Iterable[bytes]
    ) -> Iterable[bytes]:
        """Tell of an answer that was given `start`, and may not have used it yet."""
        if start.begun:
            return self.follow(environ, start.route, start.status, body)
        return Stream(body, partial(self._tell_end, environ, lambda: (start.route, start.status)))

    def _tell_end(
        self,
        environ: WSGIEnvironment,
        told: Callable[[], tuple[str | None, int]],
        begun: bool,
        failed: bool,
    ) -> None:
        route, status = told()
        if failed and not begun:  # the server answers 500 instead
            self.tell(environ, route, 500)
        else:
            self.tell(environ, route, status, failed)


class Start:
    """A ``start_response`` that completes the headers and remembers the status."""

    def __init__(
        self,
        edge: Edge,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        route: str | None,
    ) -> None:
        self._edge = edge
        self._environ = environ
        self._start_response = start_response
        self.route = route
        self.status = 500
        self.begun = False

    def __call__(
        self, status: str, headers: Headers, exc_info: OptExcInfo | None = None
    ) -> Callable[[bytes], object]:
        """Begin the answer, while Flask's context is there to say which route it is of."""
        self._edge.finish(self._environ, headers)
        if self.route is None:
            rule = getattr(self._environ.get("werkzeug.request"), "url_rule", None)
            self.route = rule.rule if rule is not None else None
        code = status.partition(" ")[0]
        self.status = int(code) if code.isdecimal() else 0
        self.begun = True
        return self._start_response(status, headers, exc_info)


class Stream:
    """A body that is not here yet; tells once, when it is closed."""

    def __init__(self, body: Iterable[bytes], told: Callable[[bool, bool], None]) -> None:
        self._body = body
        self._pieces: Iterator[bytes] | None = None
        self._told: Callable[[bool, bool], None] | None = told
        self._begun = self._failed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._pieces is None:
                self._pieces = iter(self._body)
            piece = next(self._pieces)
        except StopIteration:
            raise
        except BaseException:
            self._failed = True
            raise
        self._begun = self._begun or bool(piece)
        return piece

    def close(self) -> None:
        """Close the body, as a server does at the end whatever happened."""
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        except BaseException:
            self._failed = True
            raise
        finally:
            told, self._told = self._told, None
            if told is not None:
                told(self._begun, self._failed)


def edge_of(app: Service) -> Edge:
    """Give the edge of a service, put in place when first asked for."""
    if app.edge is None:
        app.edge = Edge()
    return app.edge


def _is_file(environ: WSGIEnvironment, body: object) -> bool:
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)
