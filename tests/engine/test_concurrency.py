"""Requests that are served at the same time do not see each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from functools import partial
from typing import Any

import flask
import greenlet
import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from buttress import Service

TOKENS = [f"t{number}" for number in range(16)]


def environ_of(path: str) -> dict[str, Any]:
    """Make the environ of a request."""
    return EnvironBuilder(path).get_environ()


def ask(app: flask.Flask, path: str) -> tuple[str, dict[str, str]]:
    """Give the body and the headers of an answer."""
    pieces, _, headers = run_wsgi_app(app, environ_of(path), buffered=True)
    return b"".join(pieces).decode(), dict(headers)


def waiting_service(wait: Callable[[], object]) -> Service:
    """Make a service whose view waits after it has written its token everywhere."""
    app = Service("shop")
    app.secret_key = "kG8wqP2vXz5nB7mL4tR9yH3jF6dS1aC0"

    @app.before_request
    def remember() -> None:
        assert "token" not in flask.g
        flask.g.token = flask.request.args["token"]

    @app.get("/<token>")
    def view(token: str) -> dict[str, Any]:
        flask.session["token"] = token
        flask.after_this_request(lambda response: marked(response, token))
        wait()
        return {
            "token": token,
            "g": flask.g.token,
            "session": flask.session["token"],
            "path": flask.request.path,
            "args": flask.request.args["token"],
            "values": flask.request.view_args,
            "url": flask.url_for("view", token=flask.g.token),
        }

    return app


def marked(response: flask.Response, token: str) -> flask.Response:
    """Put the token into a header."""
    response.headers["X-Token"] = token
    return response


def own_answer(token: str) -> tuple[Any, str]:
    """Give what a request with this token has to see."""
    path = f"/{token}"
    values = {"token": token}
    seen = {"token": token, "g": token, "session": token, "path": path, "args": token}
    return {**seen, "values": values, "url": path}, token


def answer(app: flask.Flask, token: str) -> tuple[Any, str]:
    """Ask with a token, and give what the answer says."""
    body, headers = ask(app, f"/{token}?token={token}")
    return flask.json.loads(body), headers["X-Token"]


def test_threads_inside_each_other() -> None:
    """Threads that are all inside the view at once have each their own request."""
    app = waiting_service(threading.Barrier(len(TOKENS), timeout=20).wait)
    with ThreadPoolExecutor(len(TOKENS)) as pool:
        answers = list(pool.map(lambda it: answer(app, it), TOKENS))
    assert answers == [own_answer(it) for it in TOKENS]


def test_greenlets_inside_each_other() -> None:
    """Greenlets that take turns inside the view have each their own request."""
    main = greenlet.getcurrent()
    app = waiting_service(main.switch)
    answers: dict[str, Any] = {}
    started = [
        greenlet.greenlet(lambda it=it: answers.__setitem__(it, answer(app, it))) for it in TOKENS
    ]
    for turn in (started, reversed(started)):
        for each in turn:
            each.switch()
    assert answers == {it: own_answer(it) for it in TOKENS}
    assert not flask.has_app_context()


def test_contexts_inside_each_other() -> None:
    """A request that is served inside another's view leaves the outer one as it was."""
    inner: list[Any] = []
    app = waiting_service(lambda: inner or inner.append(None) or inner.append(nested()))

    def nested() -> Any:
        return Context().run(answer, app, "inner")

    assert Context().run(answer, app, "outer") == own_answer("outer")
    assert inner[1] == own_answer("inner")


def streaming_service() -> Service:
    """Make a service that streams what needs the request."""
    app = Service("shop")

    @app.get("/<token>")
    def view(token: str) -> Iterator[str]:
        flask.g.token = token

        def pieces() -> Iterator[str]:
            for number in range(4):
                yield f"{flask.g.token} {flask.request.path} {number};"

        return flask.stream_with_context(pieces())

    return app


def test_streams_in_turn() -> None:
    """Bodies that are read in turn, each in its context, belong each to its request."""
    app = streaming_service()
    contexts = {it: Context() for it in TOKENS}
    bodies = {
        it: iter(contexts[it].run(run_wsgi_app, app, environ_of(f"/{it}"))[0]) for it in TOKENS
    }
    read = dict.fromkeys(TOKENS, "")
    for _ in range(4):
        for it in TOKENS:
            read[it] += contexts[it].run(next, bodies[it]).decode()
    for it in TOKENS:
        assert contexts[it].run(next, bodies[it], None) is None
    assert read == {it: "".join(f"{it} /{it} {number};" for number in range(4)) for it in TOKENS}


def test_first_requests_at_once() -> None:
    """The first requests of a service, all at once, are all answered right."""
    barrier = threading.Barrier(len(TOKENS), timeout=20)

    def first(app: Service, token: str) -> Any:
        barrier.wait()
        return answer(app, token)

    for _ in range(10):
        with ThreadPoolExecutor(len(TOKENS)) as pool:
            answers = list(pool.map(partial(first, waiting_service(lambda: None)), TOKENS))
        assert answers == [own_answer(it) for it in TOKENS]


class Changing:
    """A service that is changed in place while threads ask it."""

    def __init__(self) -> None:
        self.app = Service("shop")
        self.app.add_url_rule("/", "view", lambda: "0")
        self.app.after_request(lambda response: marked(response, "0"))
        #: The number of the last change that has begun, and of the last that is done.
        self.begun = self.done = 0
        #: The least that an answer may show, what its view and its hook show, and the most.
        self.answers: list[tuple[int, int, int, int]] = []
        self.stop = threading.Event()

    def ask_until_the_end(self) -> None:
        """Ask, one request after the other."""
        while not self.stop.is_set():
            least = self.done
            body, headers = ask(self.app, "/")
            self.answers.append((least, int(body), int(headers["X-Token"]), self.begun))

    def change(self) -> None:
        """Replace the view in its table, and the hook in its list."""
        self.begun += 1
        name = str(self.begun)
        self.app.view_functions["view"] = lambda: name
        self.app.after_request_funcs[None][:] = [lambda response: marked(response, name)]
        self.done += 1


def test_changes_while_threads_serve() -> None:
    """A change in place counts from the next request on, and none is answered with older parts."""
    changing = Changing()
    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(changing.ask_until_the_end) for _ in range(4)]
        for number in range(1, 200):
            changing.change()
            assert ask(changing.app, "/") == (str(number), expected_headers(str(number)))
        changing.stop.set()
    assert [it.exception() for it in asking] == [None] * 4
    assert len(changing.answers) > 4
    late = [it for it in changing.answers if not it[0] <= min(it[1:3]) <= max(it[1:3]) <= it[3]]
    assert late == []


def expected_headers(name: str) -> dict[str, str]:
    """Give the headers of an answer of `Changing`."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(name)),
        "X-Token": name,
    }


@pytest.mark.parametrize("kind", [flask.Flask, Service])
def test_body_that_is_left(kind: type[flask.Flask]) -> None:
    """A stream that is closed before its end leaves no context."""
    app = streaming_service() if kind is Service else kind("shop")
    app.add_url_rule("/left", "left", lambda: flask.stream_with_context(iter(["a", "b"])))
    pieces = app(environ_of("/left"), lambda status, headers, exc_info=None: lambda _: None)
    assert next(iter(pieces)) == b"a"
    pieces.close()
    assert not flask.has_request_context()
