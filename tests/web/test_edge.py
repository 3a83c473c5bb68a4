from __future__ import annotations

from typing import Any
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from buttress import Service
from buttress.web import PROBE, Edge, edge_of
from tests.services import Make


def told(edge: Edge) -> list[tuple[str, bool]]:
    """Let an observer note status line and whether a time was taken."""
    seen: list[tuple[str, bool]] = []
    edge.observers.append(lambda _environ, status, seconds: seen.append((status, seconds > 0)))
    return seen


def test_probe_comes_before_flask() -> None:
    """A probe is answered without the application, and marked in the environment."""
    edge = Edge(Response("application"))
    edge.probes["/livez"] = lambda environ: Response(str(environ[PROBE]))
    client = Client(edge)
    assert client.get("/livez").text == "True"
    assert client.get("/").text == "application"


def test_first_shortcut_answers() -> None:
    """Shortcuts are asked in order; where none answers, the application does."""
    edge = Edge(Response("application"))
    edge.shortcuts += [
        lambda environ: Response("first") if environ["PATH_INFO"] == "/first" else None,
        lambda environ: Response("second") if environ["PATH_INFO"] != "/" else None,
    ]
    client = Client(edge)
    assert [client.get(path).text for path in ("/first", "/x", "/")] == [
        "first",
        "second",
        "application",
    ]


def test_finishers_come_before_observers() -> None:
    """Every answer is finished, then observed once."""
    edge = Edge(Response("", 201))
    seen = told(edge)
    edge.finishers.append(lambda _environ, headers: headers.append(("X-Seen", str(len(seen)))))
    assert Client(edge).get("/").headers["X-Seen"] == "0"
    assert seen == [("201 CREATED", True)]


def test_escaped_exception_is_observed() -> None:
    """An exception that reaches the server is observed as 500, and goes on."""

    def broken(environ: object, start_response: object) -> list[bytes]:
        raise ValueError("broken")

    edge = Edge(broken)
    seen = told(edge)
    with pytest.raises(ValueError, match="broken"):
        Client(edge).get("/")
    assert seen == [("500", True)]


def test_answer_that_breaks_off_is_observed_once() -> None:
    """An exception after the answer began is observed by the status that was sent."""

    def broken(environ: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        raise ValueError("broken")

    edge = Edge(broken)
    seen = told(edge)
    with pytest.raises(ValueError, match="broken"):
        Client(edge).get("/")
    assert seen == [("200 OK", True)]


def test_edge_is_put_once(make: Make) -> None:
    """A service has one edge, whoever asks for it."""
    app = make(extensions=[])
    assert not isinstance(app.edge, Edge)
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
