from __future__ import annotations

import gc
import io
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client, create_environ
from werkzeug.wrappers import Response

from buttress import Service, create_app
from buttress.web import PROBE, Edge, edge_of
from tests.services import Make


class Around:
    """An application with an edge around it, as the engine puts it."""

    def __init__(self, edge: Edge, inner: Any = None) -> None:
        self.edge = edge
        self.inner = inner or Response("application")

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer by what the edge has, else by the application."""
        application = self.edge.take(environ) or self.inner
        return self.edge.pass_through(application, environ, start_response)


def client(edge: Edge, inner: Any = None) -> Client:
    """Make a client of an edge with this application behind it."""
    return Client(Around(edge, inner))


def told(edge: Edge) -> list[tuple[str | None, int, bool, bool]]:
    """Let an observer note route, status, whether a time was taken, and the failure."""
    seen: list[tuple[str | None, int, bool, bool]] = []
    edge.observers.append(
        lambda _environ, route, status, seconds, failed: seen.append(
            (route, status, seconds > 0, failed)
        )
    )
    return seen


def failing(*pieces: bytes) -> Any:
    """Make an application whose body fails after these pieces."""

    def body() -> Iterator[bytes]:
        yield from pieces
        raise ValueError("broken")

    return Response(body())


def test_probe_comes_before_flask() -> None:
    """A probe is answered without the application, and marked in the environment."""
    edge = Edge()
    edge.probes["/livez"] = lambda environ: Response(str(environ[PROBE]))
    assert client(edge).get("/livez").text == "True"
    assert client(edge).get("/").text == "application"


def test_first_shortcut_answers() -> None:
    """Shortcuts are asked in order; where none answers, the application does."""
    edge = Edge()
    edge.shortcuts += [
        lambda environ: Response("first") if environ["PATH_INFO"] == "/first" else None,
        lambda environ: Response("second") if environ["PATH_INFO"] != "/" else None,
    ]
    assert [client(edge).get(path).text for path in ("/first", "/x", "/")] == [
        "first",
        "second",
        "application",
    ]


def test_constants_yield_to_the_answer() -> None:
    """A line that is the same for a content type is added where the answer has none like it."""
    edge = Edge()
    edge.constants.append(lambda kind, https: [("X-Kind", kind), ("X-Https", str(https))])
    answer = Response("", headers={"x-kind": "own"})
    assert client(edge).get("/").headers["X-Kind"] == "text/plain"
    assert client(edge, answer).get("/").headers.getlist("X-Kind") == ["own"]
    assert client(edge).get("/", base_url="https://localhost").headers["X-Https"] == "True"


def test_marks_replace_what_the_answer_has() -> None:
    """A header that belongs to the request stands once, whatever the application says."""
    edge = Edge()
    edge.marks["X-Path"] = lambda environ: environ["PATH_INFO"]
    answer = Response("", headers=[("X-PATH", "forged")])
    assert client(edge, answer).get("/there").headers.getlist("X-Path") == ["/there"]


def test_finishers_come_before_observers() -> None:
    """Every answer is finished, then observed once."""
    edge = Edge()
    seen = told(edge)
    edge.finishers.append(lambda _environ, headers: headers.append(("X-Seen", str(len(seen)))))
    with client(edge, Response("", 201)).get("/") as answer:
        assert answer.headers["X-Seen"] == "0"
    assert seen == [(None, 201, True, False)]


def test_stream_is_observed_at_its_end() -> None:
    """A body that is made piece by piece is observed once it is closed."""
    edge = Edge()
    seen = told(edge)
    answer = client(edge, Response(iter([b"a", b"b"]))).get("/", buffered=False)
    assert seen == []
    assert answer.get_data() == b"ab"
    answer.close()
    assert seen == [(None, 200, True, False)]


def test_stream_that_fails_at_once_is_a_500() -> None:
    """A body that fails before its first piece is observed as the 500 that the server sends."""
    edge = Edge()
    seen = told(edge)
    body = Around(edge, failing())(create_environ(), lambda *_: None)
    with pytest.raises(ValueError, match="broken"):
        next(iter(body))
    body.close()  # type: ignore[attr-defined]  # every stream has it
    assert seen == [(None, 500, True, False)]


def test_stream_that_breaks_off_is_a_failure() -> None:
    """A body that fails later is observed by the status that was sent, as a failure."""
    edge = Edge()
    seen = told(edge)
    body = Around(edge, failing(b"first"))(create_environ(), lambda *_: None)
    with pytest.raises(ValueError, match="broken"):
        b"".join(body)
    body.close()  # type: ignore[attr-defined]  # every stream has it
    body.close()  # type: ignore[attr-defined]  # once more changes nothing
    assert seen == [(None, 200, True, True)]


def test_file_is_left_to_the_server() -> None:
    """A body in the server's own file wrapper goes through as it is, so that it can be sent so."""
    edge = Edge()
    seen = told(edge)
    environ = create_environ()
    environ["wsgi.file_wrapper"] = FileWrapper
    body = FileWrapper(io.BytesIO(b"file"))
    answer = Response(body, direct_passthrough=True)
    assert Around(edge, answer)(environ, lambda *_: None) is body
    assert seen == [(None, 200, True, False)]


def test_escaped_exception_is_observed() -> None:
    """An exception that reaches the server is observed as 500, and goes on."""

    def broken(environ: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        raise ValueError("broken")

    edge = Edge()
    seen = told(edge)
    with pytest.raises(ValueError, match="broken"):
        client(edge, broken).get("/")
    assert seen == [(None, 500, True, False)]


def test_failing_observer_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; the answer is sent, others are told, and an exception stays what it was."""
    edge = Edge()
    edge.observers.append(lambda *told: 1 / 0)
    seen = told(edge)
    with client(edge).get("/") as answer:
        assert answer.text == "application"

    def failing_application(environ: Any, start_response: Any) -> Any:
        raise KeyError("lift")

    with pytest.raises(KeyError, match="lift"):
        client(edge, failing_application).get("/")
    assert [status for _, status, _, _ in seen] == [200, 500]
    assert len(caplog.records) == 2


@pytest.mark.parametrize("place", ["probes", "shortcuts"])
def test_failure_before_the_application_is_observed(place: str) -> None:
    """A probe or a shortcut that fails is a request that was answered with 500."""
    edge = Edge()
    seen = told(edge)
    edge.probes = {"/": lambda environ: 1 / 0} if place == "probes" else {}  # type: ignore[dict-item, return-value]  # fails
    edge.shortcuts = [lambda environ: 1 / 0] if place == "shortcuts" else []  # type: ignore[list-item, return-value]  # fails
    with pytest.raises(ZeroDivisionError):
        client(edge).get("/")
    assert seen == [(None, 500, True, False)]


class NotIterable:
    """A body that cannot be read, and is closed nevertheless."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        raise TypeError("no snow")

    def close(self) -> None:
        """Note it."""
        self.closed = True


def test_body_that_cannot_be_read_is_observed() -> None:
    """It is a 500, and closed."""
    edge, body = Edge(), NotIterable()
    seen = told(edge)
    around = Around(edge, lambda environ, start: start("200 OK", []) and body)
    environ = create_environ("/")
    stream: Any = around(environ, lambda status, headers, exc_info=None: [].append)
    with pytest.raises(TypeError, match="no snow"):
        list(stream)
    stream.close()
    assert (seen, body.closed) == ([(None, 500, True, False)], True)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], (500, False)),
        ([b""], (500, False)),
        ([b"snow"], (200, True)),
        ([b"snow", b""], (200, True)),
    ],
)
def test_stream_begins_with_its_first_byte(pieces: list[bytes], expected: object) -> None:
    """A stream that fails before it is a 500, one that fails later breaks off."""
    edge = Edge()
    seen = told(edge)
    around = Around(edge, failing(*pieces))
    stream: Any = around(create_environ("/"), lambda status, headers, exc_info=None: [].append)
    with pytest.raises(ValueError, match="broken"):
        list(stream)
    stream.close()
    assert [(status, failed) for _, status, _, failed in seen] == [expected]


def test_many_content_types_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of a few content types are remembered; those of others are right as well."""
    monkeypatch.setattr("buttress.web.edge.KINDS", 2)
    edge = Edge()
    edge.constants.append(lambda kind, https: [("X-Kind", kind)])
    kinds = [f"text/x{number}" for number in range(4)]
    assert [edge.lines(kind, "http") for kind in kinds] == [[("X-Kind", kind)] for kind in kinds]
    assert len(edge._lines) == 2


def test_late_start_is_observed() -> None:
    """An application may announce its answer with the first piece; its status is what counts."""
    edge = Edge()
    seen = told(edge)

    def late(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("202 Accepted", [])
        yield b"snow"

    with client(edge, late).get("/") as answer:
        assert answer.text == "snow"
    assert [status for _, status, _, _ in seen] == [202]


def test_callable_that_a_view_returns_is_observed(make: Make) -> None:
    """A view may return any WSGI callable, which announces its answer when it is read."""
    app = make()

    def late(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("202 Accepted", [])
        yield b"snow"

    class Own(Response):
        def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
            return late(environ, start_response)

    app.response_class = Own  # type: ignore[assignment]  # no Flask response
    app.add_url_rule("/own", "own", lambda: Own("never"))
    seen = told(edge_of(app))
    with app.test_client().get("/own") as answer:
        assert answer.text == "snow"
    assert [(route, status) for route, status, _, _ in seen] == [("/own", 202)]


def test_answer_that_the_server_refuses_is_observed_as_500(make: Make) -> None:
    """Headers that the server refuses are observed as the 500 that it answers."""

    def refuse(*_: object) -> None:
        raise ValueError("no such header")

    app = make()
    seen = told(edge_of(app))
    app.add_url_rule("/<int:n>", view_func=lambda n: {"n": n})
    with pytest.raises(ValueError, match="no such header"):
        app(create_environ("/1"), refuse)  # type: ignore[arg-type]  # it gives nothing
    assert seen == [("/<int:n>", 500, True, False)]


@pytest.mark.parametrize("returned", [{"n": 1}, "text", (["list"], 201), Response("own", 202)])
def test_answers_of_the_engine_are_observed(make: Make, returned: Any) -> None:
    """Whatever a view returns, its route and status are observed."""
    app = make()
    seen = told(edge_of(app))
    app.add_url_rule("/<int:n>", view_func=lambda n: returned)
    status = app.test_client().get("/1").status_code
    assert seen == [("/<int:n>", status, True, False)]


def test_edge_is_put_once(make: Make) -> None:
    """A service has one edge, whoever asks for it."""
    app = make(extensions=[])
    assert app.edge is None
    assert edge_of(app) is edge_of(app)
    assert app.edge is edge_of(app)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("HEAD", "/"), ("GET", "/nothing"), ("GET", "/livez"), ("OPTIONS", "/")],
)
def test_it_keeps_to_the_protocol(make: Make, method: str, path: str) -> None:
    """Every kind of answer passes the standard library's check of PEP 3333."""
    app = make(CORS_ORIGINS="https://friend.example")
    app.add_url_rule("/", view_func=lambda: "plain")
    sent = {"Origin": "https://friend.example", "Access-Control-Request-Method": "PUT"}
    with Client(validator(app)).open(path, method=method, headers=sent) as answer:
        assert answer.status_code in (200, 204, 404)
        assert answer.headers["X-Request-Id"]


def test_bare_service_has_none() -> None:
    """A bare service answers as Flask does, with nothing added."""
    app = Service("bare")
    app.add_url_rule("/", view_func=lambda: "plain")
    answer = app.test_client().get("/")
    assert sorted(answer.headers.keys()) == ["Content-Length", "Content-Type"]


def test_middleware_stays_outside(make: Make) -> None:
    """Middleware that the user wraps around ``wsgi_app`` sees the finished answer."""
    app = make()
    inner, seen = app.wsgi_app, []

    def middleware(environ: dict[str, object], start_response: object) -> object:
        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
            seen.extend(name for name, _ in headers if name == "X-Request-Id")
            return start_response(status, headers)

        return inner(environ, start)

    app.wsgi_app = middleware
    app.test_client().get("/")
    assert seen == ["X-Request-Id"]


def freed(app_of: Callable[[], Service], *paths: str) -> bool:
    """Tell whether a service, used and closed, goes with the last reference to it.

    The paths must answer well: Flask itself makes a cycle for a 404.
    """
    gc.collect()
    gc.disable()
    try:
        app = app_of()
        app.add_url_rule("/", view_func=lambda: "plain")
        assert all(app.test_client().get(path).status_code == 200 for path in paths)
        app.close()
        alive = weakref.ref(app)
        del app
        return alive() is None
    finally:
        gc.enable()


def test_bare_service_is_freed() -> None:
    """A bare service makes no reference cycle, as a Flask application makes none."""
    assert freed(lambda: Service("bare"), "/")


def test_booted_service_is_freed(package: Callable[[Mapping[str, str]], Path]) -> None:
    """A service with all default extensions makes none either."""
    package({"shop/__init__.py": ""})
    config = {"MODE": "testing", "CORS_ORIGINS": "*"}
    assert freed(lambda: create_app("shop", config=config), "/", "/__heartbeat__", "/livez")
