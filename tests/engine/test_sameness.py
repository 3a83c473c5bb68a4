"""Small cases, each run on Flask and on the service: the outcome is the same."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
from werkzeug.datastructures import Headers
from werkzeug.exceptions import InternalServerError, NotFound
from werkzeug.test import Client

from buttress import Service
from buttress.engine.compiled import LONGEST_HOST

Log = list[Any]
Furnish = Callable[[flask.Flask, Log], None]


def hooks_in_order(app: flask.Flask, log: Log) -> None:
    """Hooks after the view run in the reverse order of their registration."""
    for number in (1, 2):
        app.before_request(lambda number=number: log.append(("before", number)))
        app.teardown_request(lambda error, number=number: log.append(("teardown", number)))
        app.teardown_appcontext(lambda error, number=number: log.append(("app", number)))

        @app.after_request
        def after(response: flask.Response, number: int = number) -> flask.Response:
            log.append(("after", number))
            return response

    app.add_url_rule("/", "index", lambda: "")


def ignored_error(app: flask.Flask, log: Log) -> None:
    """An error that the application ignores is none for what runs at the end."""
    app.should_ignore_error = lambda error: True  # type: ignore[method-assign]  # as a subclass may
    app.teardown_request(lambda error: log.append(repr(error)))
    app.add_url_rule("/", "index", lambda: 1 / 0)


def error_at_the_end(app: flask.Flask, log: Log) -> None:
    """Other errors are shown to it."""
    app.teardown_request(lambda error: log.append(repr(error)))
    app.add_url_rule("/", "index", lambda: 1 / 0)


def session_read(app: flask.Flask, log: Log) -> None:
    """A session that was looked at makes the answer vary by the cookie, even if it is empty."""
    app.secret_key = "kG8wqP2vXz5nB7mL4tR9yH3jF6dS1aC0"
    app.add_url_rule("/", "index", lambda: repr(flask.session.get("name")))


def session_untouched(app: flask.Flask, log: Log) -> None:
    """A session that was not looked at leaves no trace."""
    app.secret_key = "kG8wqP2vXz5nB7mL4tR9yH3jF6dS1aC0"
    app.add_url_rule("/", "index", lambda: "")


def location(app: flask.Flask, log: Log) -> None:
    """A location is sent in ASCII."""
    headers = {"Location": "/zürich", "Content-Length": "0"}
    app.add_url_rule("/", "index", lambda: flask.Response(b"", 201, headers))


def content_location(app: flask.Flask, log: Log) -> None:
    """So is the location of the content."""
    headers = {"Content-Location": "/zürich"}
    app.add_url_rule("/", "index", lambda: flask.Response(b"x", 200, headers))


def not_modified(app: flask.Flask, log: Log) -> None:
    """An answer of 304 has neither body nor length."""
    app.add_url_rule("/", "index", lambda: ("text", 304))


def no_content(app: flask.Flask, log: Log) -> None:
    """Nor has one of 204."""
    app.add_url_rule("/", "index", lambda: ("text", 204))


def own_response_class(app: flask.Flask, log: Log) -> None:
    """An HTTP error is answered by the response class of the application."""

    class Own(flask.Response):
        def get_wsgi_headers(self, environ: Any) -> Any:
            return Headers([*super().get_wsgi_headers(environ), ("X-Own", "1")])

    app.response_class = Own
    app.register_error_handler(404, lambda error: error)

    def view() -> str:
        raise NotFound

    app.add_url_rule("/", "index", view)


def other_scheme(app: flask.Flask, log: Log) -> None:
    """A request by a websocket's scheme fits no ordinary rule."""
    app.add_url_rule("/", "index", lambda: "")


def trusted_hosts(app: flask.Flask, log: Log) -> None:
    """The request knows the trusted hosts, and its own host, from the begin."""

    class Own(flask.Request):
        pass

    app.request_class = Own
    app.config["TRUSTED_HOSTS"] = ["localhost"]
    app.add_url_rule(
        "/", "index", lambda: [flask.request.trusted_hosts, "host" in vars(flask.request)]
    )


def trusted_hosts_that_change(app: flask.Flask, log: Log) -> None:
    """A host is trusted no longer than the list says."""
    trusted = ["localhost"]
    app.config["TRUSTED_HOSTS"] = trusted

    def view() -> str:
        trusted[0] = "elsewhere"
        return ""

    app.add_url_rule("/", "index", view)


def environment_at_the_end(app: flask.Flask, log: Log) -> None:
    """The environment lets go of the request."""

    @app.after_request
    def after(response: flask.Response) -> flask.Response:
        environ = flask.request.environ
        response.call_on_close(lambda: log.append(environ["werkzeug.request"]))
        return response

    app.add_url_rule("/", "index", lambda: "")


def forgotten_request_context(app: flask.Flask, log: Log) -> None:
    """A context that a view has pushed and left there is an error."""
    app.add_url_rule("/", "index", lambda: app.test_request_context().push() or "")  # type: ignore[func-returns-value]  # None


def stream_in_a_teardown(app: flask.Flask, log: Log) -> None:
    """What reads a stream of its own at the end of a stream ends once."""

    def pieces() -> Iterator[str]:
        yield flask.request.path

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        log.append("".join(flask.stream_with_context(pieces())))

    app.add_url_rule("/", "index", lambda: flask.stream_with_context(pieces()))


def doubled_slashes(app: flask.Flask, log: Log) -> None:
    """A rule with two slashes at its begin, and one that keeps them."""
    app.add_url_rule("//b", "index", lambda: "double", merge_slashes=False)
    app.add_url_rule("/a/x", "single", lambda: "single")
    app.add_url_rule("/a//<int:number>", "number", lambda number: [number], merge_slashes=False)


CASES: list[tuple[Furnish, dict[str, Any]]] = [
    (hooks_in_order, {}),
    (ignored_error, {}),
    (error_at_the_end, {}),
    (session_read, {}),
    (session_untouched, {}),
    (location, {}),
    (content_location, {}),
    (not_modified, {}),
    (no_content, {}),
    (own_response_class, {}),
    (other_scheme, {"base_url": "ws://localhost/"}),
    (other_scheme, {"base_url": "https://localhost/"}),
    (trusted_hosts, {}),
    (trusted_hosts_that_change, {}),
    (environment_at_the_end, {}),
    (forgotten_request_context, {}),
    (stream_in_a_teardown, {}),
    (doubled_slashes, {"environ_overrides": {"PATH_INFO": "//b"}}),
    (doubled_slashes, {"path": "/a//1"}),
    (doubled_slashes, {"path": "/a//x"}),
    (doubled_slashes, {"path": "/a/1"}),
]


def outcome(kind: type[flask.Flask], furnish: Furnish, asked: dict[str, Any]) -> list[Any]:
    """Make an application, ask it twice, and tell what came of it."""
    app, log, told = kind("bare"), [], []
    app.logger.disabled = True
    furnish(app, log)
    for _ in range(2):  # the second time, the host is one that was accepted before
        try:
            with Client(app).open(**{"path": "/", **asked}) as answer:
                told.append((answer.status, sorted(answer.headers), answer.data))
        except AssertionError as error:
            told.append(str(error).partition("(")[0])
    return [told, log]


@pytest.mark.parametrize(("furnish", "asked"), CASES)
def test_same_outcome(furnish: Furnish, asked: dict[str, Any]) -> None:
    """Answers, and what the application noted, are those of Flask."""
    assert outcome(Service, furnish, asked) == outcome(flask.Flask, furnish, asked)


def test_error_is_freed_with_its_request() -> None:
    """Unlike with Flask, no cycle keeps an error and the frames of its traceback."""

    class Avalanche(Exception):
        pass

    raised: list[weakref.ref[Avalanche]] = []

    def view() -> str:
        error = Avalanche()
        raised.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    app = Service("bare")
    app.logger.disabled = True
    app.add_url_rule("/", "index", view)
    app.register_error_handler(InternalServerError, lambda error: ("sorry", 500))
    client = Client(app)
    client.get("/")
    gc.disable()
    try:
        client.get("/")
        assert raised[1]() is None
    finally:
        gc.enable()


def test_long_hosts_are_not_remembered() -> None:
    """A host that is longer than a name can be is looked at anew each time."""
    app = Service("bare")
    app.add_url_rule("/", "index", lambda: "")
    hosts = ["a" + ".a" * 129 + end for end in ("a", "aa")]
    for host in hosts:
        assert Client(app).get("/", headers={"Host": host}).status_code == 200
    compiled = app.compilation.current
    assert compiled is not None
    assert list(compiled._hosts) == [host for host in hosts if len(host) == LONGEST_HOST]
