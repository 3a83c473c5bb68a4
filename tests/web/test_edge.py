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
