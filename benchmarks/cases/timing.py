"""The time that an application takes for a request."""

from __future__ import annotations

import gc
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.cases.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Times(NamedTuple):
    """Microseconds per request: on the clock, and of the processor."""

    wall: float
    cpu: float


def timed(app: WSGIApplication, request: Request, calls: int) -> Times:
    """Make so many requests."""
    given, body = request.environ(), request.body
    kept: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        kept[:] = (status, headers)
        return kept.append

    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        environ = given.copy()
        environ["wsgi.input"] = BytesIO(body)
        answer = app(environ, start_response)
        b"".join(answer)
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Times(wall / calls * 1e6, cpu / calls * 1e6)
