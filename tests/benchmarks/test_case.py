"""Applications are called as a server calls them, and must give the answer of their case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from benchmarks.cases.case import Case, Wrong, check
from benchmarks.cases.request import Request
from benchmarks.cases.timing import timed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ORDER = Request("/orders", "POST", b"one", (("CONTENT_LENGTH", "3"),))


class Echo:
    """Answer with the body of the request, and remember what happened."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.closed = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Echo:
        """Answer, and leave something in the environ."""
        self.seen.append((environ["PATH_INFO"], len(environ)))
        environ["left"] = "behind"
        self.body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Iterator[bytes]:
        """Give the body."""
        yield self.body

    def close(self) -> None:
        """Count."""
        self.closed += 1


def test_each_call_is_fresh() -> None:
    """Every call has an environ and a body of its own, and its answer is read and closed."""
    app = Echo()
    times = timed(app, ORDER, 3)
    assert app.seen == [("/orders", len(ORDER.environ()) + 1)] * 3
    assert (app.body, app.closed) == (b"one", 3)
    assert min(times) > 0


@pytest.mark.parametrize("body", [b"one", None])
def test_right_answer(body: bytes | None) -> None:
    """An application that gives the answer is let through; its answers are closed."""
    app = Echo()
    check(Case("post", ORDER, 200, body, {"echo": app}))
    assert app.closed == len(app.seen) == 2


@pytest.mark.parametrize(("status", "body"), [(201, b"one"), (200, b"two")])
def test_wrong_answer(status: int, body: bytes) -> None:
    """Another status or body is refused, with the name of the application."""
    with pytest.raises(Wrong, match="post: echo answers"):
        check(Case("post", ORDER, status, body, {"echo": Echo()}))


def test_spaces_of_json() -> None:
    """JSON may be spaced as its framework likes."""
    order = Request("/orders", "POST", b'{"id": 42}\n', (("CONTENT_LENGTH", "11"),))
    check(Case("post", order, 200, b'{"id":42}', {"echo": Echo()}))
    with pytest.raises(Wrong):
        check(Case("post", order, 200, b'{"id":43}', {"echo": Echo()}))
