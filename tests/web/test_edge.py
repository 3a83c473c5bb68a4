from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client, create_environ
from werkzeug.wrappers import Response

from buttress import Service, create_app
from buttress.web import PROBE, Edge, edge_of
from tests.services import Make


def client(edge: Edge, inner: Any = None) -> Client:
    """Make a client of an edge with this application behind it."""
    return Client(partial(edge, inner or Response("application")))


def told(edge: Edge) -> list[tuple[str, bool]]:
    """Let an observer note status line and whether a time was taken."""
    seen: list[tuple[str, bool]] = []
    edge.observers.append(lambda _environ, status, seconds: seen.append((status, seconds > 0)))
    return seen


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


def test_finishers_come_before_observers() -> None:
    """Every answer is finished, then observed once."""
    edge = Edge()
    seen = told(edge)
    edge.finishers.append(lambda _environ, headers: headers.append(("X-Seen", str(len(seen)))))
    assert client(edge, Response("", 201)).get("/").headers["X-Seen"] == "0"
    assert seen == [("201 CREATED", True)]


def test_escaped_exception_is_observed() -> None:
    """An exception that reaches the server is observed as 500, and goes on."""

    def broken(environ: object, start_response: object) -> list[bytes]:
        raise ValueError("broken")

    edge = Edge()
    seen = told(edge)
    with pytest.raises(ValueError, match="broken"):
        client(edge, broken).get("/")
    assert seen == [("500", True)]


def test_answer_that_breaks_off_is_observed_once() -> None:
    """An exception after the answer began is observed by the status that was sent."""

    def broken(environ: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        raise ValueError("broken")

    edge = Edge()
    seen = told(edge)
    with pytest.raises(ValueError, match="broken"):
        client(edge, broken).get("/")
    assert seen == [("200 OK", True)]


def test_answer_that_the_server_refuses_is_observed_as_500() -> None:
    """Headers that the server refuses are observed as the 500 that it answers."""

    def refuse(*_: object) -> None:
        raise ValueError("no such header")

    edge = Edge()
    seen = told(edge)
    with pytest.raises(ValueError, match="no such header"):
        edge(Response("fine"), create_environ(), refuse)  # type: ignore[arg-type]  # it gives nothing
    assert seen == [("500", True)]


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
