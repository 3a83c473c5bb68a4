"""The edge: what happens to every request between the server and Flask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from buttress.service import Service

Headers: TypeAlias = list[tuple[str, str]]
Probe: TypeAlias = "Callable[[WSGIEnvironment], Response]"
Shortcut: TypeAlias = "Callable[[WSGIEnvironment], Response | None]"
Finisher: TypeAlias = "Callable[[WSGIEnvironment, Headers], None]"
Observer: TypeAlias = "Callable[[WSGIEnvironment, str, float], None]"

#: Set in the environment of a request that a probe answered.
PROBE = "buttress.probe"


class Edge:
    """Stand before Flask, with what the extensions put into the four lists.

    Nothing here opens a session or runs a hook of the application's.
    """

    def __init__(self) -> None:
        #: Path → answer, before any hook of the application; not in the access log.
        self.probes: dict[str, Probe] = {}
        #: Tried in order; the first answer that is not ``None`` is sent.
        self.shortcuts: list[Shortcut] = []
        #: Add to the headers of every answer.
        self.finishers: list[Finisher] = []
        #: Told status line and seconds of every answer as it begins, while Flask's context is
        #: there; ``"500"`` where an exception gets through to the server.
        self.observers: list[Observer] = []

    def __call__(
        self, inner: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request, by ``inner`` where nothing here does."""
        began = perf_counter()
        answered = False

        def start(
            status: str, headers: Headers, exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            nonlocal answered
            for finish in self.finishers:
                finish(environ, headers)
            # First, since a server that refuses these headers answers 500 instead.
            write = start_response(status, headers, exc_info)
            answered = True
            for observe in self.observers:
                observe(environ, status, perf_counter() - began)
            return write

        try:
            return (self._answer(environ) or inner)(environ, start)
        except BaseException:
            if not answered:
                for observe in self.observers:
                    observe(environ, "500", perf_counter() - began)
            raise

    def _answer(self, environ: WSGIEnvironment) -> WSGIApplication | None:
        probe = self.probes.get(environ.get("PATH_INFO", ""))
        if probe is not None:
            environ[PROBE] = True
            return probe(environ)
        for shortcut in self.shortcuts:
            response = shortcut(environ)
            if response is not None:
                return response
        return None


def edge_of(app: Service) -> Edge:
    """Give the edge of a service, put in place when first asked for."""
    if app.edge is None:
        app.edge = Edge()
    return app.edge
