"""Nothing of one request reaches another, and nothing of a request stays when it has ended."""

from __future__ import annotations

import gc
import io
import itertools
import logging
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest

from buttress import Service

REQUESTS, THREADS = 100_000, 32
LARGE = b"x" * 65536


class Shop:
    """An application in which every request has a token, and everything that does not fit it."""

    def __init__(self, kind: type[flask.Flask]) -> None:
        self.app = kind("audit")
        self.app.secret_key = "kG8wqP2vXz5nB7mL4tR9yH3jF6dS1aC0"
        self.app.logger.setLevel(logging.CRITICAL)
        self.app.config["PROPAGATE_EXCEPTIONS"] = False
        #: What belonged to another request, as the hooks and views saw it.
        self.strange: list[tuple[Any, ...]] = []
        self.begun = itertools.count()
        self._add_hooks()
        self._add_views()

    def expect(self, where: str, token: str | None) -> None:
        """Note a token that is not that of the current request."""
        if token != flask.request.headers["X-Token"]:
            self.strange.append((where, token, flask.request.headers["X-Token"]))

    def _add_hooks(self) -> None:
        app = self.app
        app.before_request(self.begin)
        app.after_request(self.finish)
        app.teardown_request(self.end)
        app.register_error_handler(404, lambda error: (flask.g.token, 404))
        app.register_error_handler(ValueError, lambda error: (f"{error} {flask.g.token}", 500))

    def begin(self) -> None:
        """Remember the token, and that nobody else had put one there."""
        if "token" in flask.g:
            self.strange.append(("g", flask.g.token))
        flask.g.token = flask.request.headers["X-Token"]
        next(self.begun)

    def finish(self, response: flask.Response) -> flask.Response:
        """Give the token back."""
        self.expect("after", flask.g.token)
        response.headers["X-Token"] = flask.g.token
        return response

    def end(self, error: BaseException | None) -> None:
        """Look at the token once more."""
        self.expect("teardown", flask.g.token)

    def _add_views(self) -> None:
        add = self.app.add_url_rule
        add("/dict/<token>", "dict", lambda token: {"token": token})
        add("/text/<token>", "text", lambda token: flask.g.token)
        add("/session/<token>", "session", self.keep)
        add("/fails/<token>", "fails", self.fail)
        add("/abort/<token>", "abort", lambda token: flask.abort(404))
        add("/stream/<token>", "stream", self.stream)
        add("/url/<token>", "url", lambda token: flask.url_for("url", token=flask.g.token))
        add("/after/<token>", "after", self.after)
        add("/body/<token>", "body", self.body, methods=["POST"])

    def keep(self, token: str) -> str:
        """Read what the session had, and write the token into it."""
        before = flask.session.get("thread")
        flask.session["thread"] = token.partition("-")[0]
        return f"{before or flask.session['thread']} {token}"

    def fail(self, token: str) -> str:
        """Fail with the token."""
        raise ValueError(token)

    def stream(self, token: str) -> Iterator[str]:
        """Give the token in pieces that need the request."""

        def pieces() -> Iterator[str]:
            for letter in token:
                self.expect("stream", flask.g.token)
                yield letter

        return flask.stream_with_context(pieces())

    def after(self, token: str) -> str:
        """Let a function of this request alone see the answer."""

        @flask.after_this_request
        def header(response: flask.Response) -> flask.Response:
            response.headers["X-After"] = token
            return response

        return token

    def body(self, token: str) -> str:
        """Read a large body."""
        data = flask.request.get_data()
        return f"{token} {len(data)} {data[:8].decode()}"


KINDS = ("dict", "text", "session", "fails", "abort", "stream", "url", "after", "body", "missing")


def environ_of(kind: str, token: str, cookie: str) -> dict[str, Any]:
    """Make the environ of a request."""
    data = token[:8].ljust(8).encode() + LARGE if kind == "body" else b""
    return {
        "REQUEST_METHOD": "POST" if kind == "body" else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": f"/{kind}/{token}",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_X_TOKEN": token,
        "HTTP_COOKIE": cookie,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(data),
        "wsgi.errors": sys.stderr,
    }


def expected_body(kind: str, token: str) -> str:
    """Give what belongs to a request."""
    thread = token.partition("-")[0]
    bodies = {
        "dict": f'{{"token":"{token}"}}\n',
        "session": f"{thread} {token}",
        "fails": f"{token} {token}",
        "url": f"/url/{token}",
        "body": f"{token} {len(LARGE) + 8} {token[:8].ljust(8)}",
    }
    return bodies.get(kind, token)


class Visitor:
    """Somebody who makes one request after the other, and looks at every answer."""

    def __init__(self, app: flask.Flask, name: str, kinds: tuple[str, ...] = KINDS) -> None:
        self.app, self.name, self.kinds = app, name, kinds
        self.cookie = ""
        self.strange: list[tuple[Any, ...]] = []

    def visit(self, number: int) -> None:
        """Make one request."""
        kind, token = self.kinds[number % len(self.kinds)], f"{self.name}-{number}"
        headers: dict[str, str] = {}
        pieces = self.app(
            environ_of(kind, token, self.cookie),
            lambda status, found, exc_info=None: headers.update(found) or (lambda _: None),
        )
        body = b"".join(pieces).decode()
        getattr(pieces, "close", lambda: None)()
        self.cookie = headers.get("Set-Cookie", self.cookie).partition(";")[0]
        after = token if kind == "after" else None
        seen = (body, headers["X-Token"], headers.get("X-After"))
        if seen != (expected_body(kind, token), token, after):
            self.strange.append((kind, token, seen))

    def visit_often(self, times: int) -> None:
        """Make many requests, and look for contexts that are left."""
        for number in range(times):
            self.visit(number)
        if flask.has_app_context() or flask.has_request_context():
            self.strange.append(("context", self.name))


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """Let threads take turns often, inside requests as well as between them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("quick_switches")
def test_many_requests_in_many_threads() -> None:
    """In 100,000 mixed requests of 32 threads each sees its own request, ``g`` and session."""
    shop = Shop(Service)
    visitors = [Visitor(shop.app, f"t{number}") for number in range(THREADS)]
    threads = [
        threading.Thread(target=it.visit_often, args=[REQUESTS // THREADS]) for it in visitors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [it for visitor in visitors for it in visitor.strange] == []
    assert shop.strange == []
    assert next(shop.begun) == REQUESTS


def visits(kind: type[flask.Flask], kinds: tuple[str, ...] = KINDS) -> Callable[[int], None]:
    """Give a function that makes so many requests to an application, which is warm."""
    visitor = Visitor(Shop(kind).app, "t", kinds)
    visitor.visit_often(200)
    return visitor.visit_often


def left_to_the_collector(kind: type[flask.Flask], of_request: str) -> int:
    """Count the objects that only the garbage collector frees after 1,000 requests."""
    visit_often = visits(kind, (of_request,))
    gc.collect()
    gc.disable()
    try:
        visit_often(1000)
        return gc.collect()
    finally:
        gc.enable()


@pytest.mark.parametrize("of_request", sorted({*KINDS} - {"missing", "stream"}))
def test_no_cycles(of_request: str) -> None:
    """A request that has ended is gone, without the garbage collector."""
    assert left_to_the_collector(Service, of_request) == 0


@pytest.mark.parametrize("of_request", ["missing", "stream"])
def test_no_more_cycles_than_on_flask(of_request: str) -> None:
    """Where an exception holds the request, or Werkzeug matches, it is not more than on Flask."""
    expected = left_to_the_collector(flask.Flask, of_request)
    assert left_to_the_collector(Service, of_request) <= expected


def test_memory_does_not_grow() -> None:
    """After 2,000 more requests there is as much memory in use as before."""
    visit_often = visits(Service)
    tracemalloc.start()
    try:
        visit_often(500)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        visit_often(2000)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
