from __future__ import annotations

import copy
import io
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from unittest.mock import Mock

import flask
import pytest
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import Conflict, HTTPException
from werkzeug.routing import BaseConverter, Rule
from werkzeug.test import Client, EnvironBuilder

from buttress import LifecycleError, Service
from buttress.engine.application import CompiledFlask
from buttress.engine.context import Context
from buttress.engine.flaskcompat import cv_request
from tests.services import Make


@pytest.fixture
def app() -> Service:
    """Give a bare service whose one view tells whether it was reached by the compiled way."""
    app = Service("bare")
    app.add_url_rule("/", "index", lambda: [type(cv_request.get()) is Context])
    return app


def is_compiled(app: Service) -> bool:
    """Ask the one view."""
    answer: list[bool] = Client(app).get("/").get_json()
    return answer == [True]


def test_request_takes_the_compiled_way(app: Service) -> None:
    """An ordinary request is not run by Flask's own code."""
    assert is_compiled(app)


@pytest.mark.parametrize(
    "name",
    "create_url_adapter dispatch_request do_teardown_appcontext do_teardown_request ensure_sync "
    "finalize_request full_dispatch_request make_response preprocess_request process_response "
    "request_context app_context".split(),
)
def test_own_method_takes_flasks_way(name: str) -> None:
    """A subclass with its own version of a method that the compiled way stands for gets Flask's."""
    called: list[str] = []

    def own(self: Any, *args: Any, **kwargs: Any) -> Any:
        called.append(name)
        return getattr(flask.Flask, name)(self, *args, **kwargs)

    app = type("Own", (Service,), {name: own})("bare")
    app.add_url_rule("/", "index", lambda: [type(cv_request.get()) is Context])
    assert (is_compiled(app), name in called) == (False, True)


def test_replaced_method_takes_flasks_way_until_it_is_put_back(app: Service) -> None:
    """A method of the instance counts from the next request on, and no longer than it is there."""
    assert is_compiled(app)
    app.process_response = lambda response: flask.Response("replaced")  # type: ignore[method-assign]  # that is the point
    assert Client(app).get("/").text == "replaced"
    del app.process_response
    assert is_compiled(app)


CHANGES: dict[str, Callable[[Service], object]] = {
    "view": lambda app: app.view_functions.update(index=lambda: "new"),
    "before": lambda app: app.before_request_funcs.setdefault(None, []).append(lambda: "new"),
    "after": lambda app: app.after_request_funcs[None].append(lambda _: flask.Response("new")),
    "rule": lambda app: app.url_map.add(Rule("/new", endpoint="new")),
    "provider": lambda app: setattr(app, "json", type(app.json)(app)),
    "provider's way": lambda app: setattr(
        app.json, "response", lambda *args: app.make_response("new")
    ),
    "provider's setting": lambda app: setattr(app.json, "sort_keys", False),
    "response": lambda app: setattr(app, "response_class", type("R", (flask.Response,), {})),
    "session": lambda app: setattr(app, "session_interface", SecureCookieSessionInterface()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_compiles_anew(app: Service, change: Callable[[Service], object]) -> None:
    """A change of what is compiled is seen by the next request."""
    Client(app).get("/")
    before = app.compilation.current
    change(app)
    assert app.compilation.current is None
    Client(app).get("/")
    assert app.compilation.current not in (None, before)


def test_unchanged_application_stays_compiled(app: Service) -> None:
    """Requests, attributes of the application's own and its configuration compile nothing anew."""
    Client(app).get("/")
    before = app.compilation.current
    app.config["OWN"] = app.own = 1  # type: ignore[attr-defined]  # an application may
    Client(app).get("/nothing")
    Client(app).get("/")
    assert app.compilation.current is before


def test_change_while_compiling_is_not_lost(app: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes while a thread compiles is in what it compiles to."""
    made: list[object] = []

    def compiled(app: CompiledFlask) -> object:
        made.append(app)
        if len(made) == 1:
            app.compilation.forget()
        return len(made)

    monkeypatch.setattr("buttress.engine.application.Compiled", compiled)
    assert app.compilation.renew(app) == 2


def test_threads_compile_once(app: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that come first together wait for one compilation."""
    from buttress.engine.compiled import Compiled

    made: list[Compiled] = []
    monkeypatch.setattr(
        "buttress.engine.application.Compiled", lambda app: made.append(Compiled(app)) or made[-1]
    )
    threads = [threading.Thread(target=is_compiled, args=(app,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_preserved_context_takes_flasks_way(app: Service) -> None:
    """A test client that keeps the context gets Flask's contexts."""
    with app.test_client() as client:
        assert client.get("/").get_json() == [False]
        assert flask.request.path == "/"


def test_request_within_a_context_takes_flasks_way(app: Service) -> None:
    """A request within an application context shares its ``g``, as in Flask."""
    app.add_url_rule("/g", "g", lambda: flask.g.mine)
    with app.app_context():
        flask.g.mine = "shared"
        assert Client(app).get("/g").text == "shared"


def test_late_registration_is_served_in_development(make: Make) -> None:
    """In development a route may come while the service serves; otherwise it may not."""
    late = make(MODE="development")
    assert Client(late).get("/late").status_code == 404
    late.add_url_rule("/late", "late", lambda: "served")
    assert Client(late).get("/late").text == "served"
    strict = make()
    Client(strict).get("/")
    with pytest.raises(LifecycleError, match="too late"):
        strict.add_url_rule("/late", "late", lambda: "served")


def test_hosts_are_remembered_with_those_that_were_trusted(app: Service) -> None:
    """A host that was accepted is refused once it is not trusted any more."""
    assert Client(app).get("/", base_url="http://friend.example").status_code == 200
    app.config["TRUSTED_HOSTS"] = ["other.example"]
    assert Client(app).get("/", base_url="http://friend.example").status_code == 400
    assert Client(app).get("/", base_url="http://other.example").status_code == 200
    app.config["TRUSTED_HOSTS"].clear()
    assert Client(app).get("/", base_url="http://friend.example").status_code == 200


def test_many_hosts_are_not_kept(app: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that makes up hosts does not fill the memory."""
    monkeypatch.setattr("buttress.engine.compiled.HOSTS", 3)
    for number in range(10):
        Client(app).get("/", base_url=f"http://host{number}.example")
    assert app.compilation.current is not None
    assert len(app.compilation.current._hosts) <= 3


@pytest.fixture
def streaming(app: Service) -> Iterator[Service]:
    """Give the service with a stream that needs its context, and a trace of what it closed."""
    app.extensions["trace"] = []
    app.teardown_request(lambda exc: app.extensions["trace"].append("request"))
    app.teardown_appcontext(lambda exc: app.extensions["trace"].append("app"))

    @app.get("/stream")
    def stream() -> flask.Response:
        return flask.Response(
            flask.stream_with_context(flask.request.args[name] for name in ("a", "b"))
        )

    return app


def test_stream_has_its_context(streaming: Service) -> None:
    """A stream reads the request after the view is done, and both contexts end with it."""
    environ = EnvironBuilder("/stream", query_string="a=1&b=2").get_environ()
    body = streaming(environ, lambda *_: None)
    assert flask.has_request_context() is False
    assert b"".join(body) == b"12"
    body.close()  # type: ignore[attr-defined]  # every stream has it
    assert streaming.extensions["trace"] == ["request", "app", "request", "app"]


def test_shared_response_keeps_nothing_of_a_request(app: Service) -> None:
    """What is added to an answer outside is not in the next answer of the same response."""
    shared = flask.Response("shared")
    app.add_url_rule("/shared", "shared", lambda: shared)
    environ = EnvironBuilder("/shared").get_environ()
    for _ in range(2):
        app(dict(environ), lambda status, headers: headers.append(("Set-Cookie", "a=1")))
    assert "Set-Cookie" not in shared.headers


def test_rule_without_an_endpoint_harms_no_other(app: Service) -> None:
    """A rule that only redirects is compiled, and redirects."""
    app.url_map.add(Rule("/old", redirect_to="/new"))
    assert is_compiled(app)
    assert Client(app).get("/old").status_code == 308


def test_method_patched_in_flask_is_called(app: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tracer has put in the place of a method of Flask's class runs."""
    dispatch = flask.Flask.dispatch_request
    monkeypatch.setattr(flask.Flask, "dispatch_request", lambda self: {"traced": dispatch(self)})
    assert Client(app).get("/").get_json() == {"traced": [False]}


@wraps(Service.process_response)
def wrapping(self: Service, response: flask.Response) -> flask.Response:
    """Stand for a method as a tracer's wrapper does."""
    return flask.Response("replaced")


@pytest.mark.parametrize("method", [Mock(return_value=flask.Response("replaced")), wrapping])
def test_method_patched_in_the_service_is_called(
    app: Service, monkeypatch: pytest.MonkeyPatch, method: Any
) -> None:
    """So does what stands in the place of a method of the service's class."""
    monkeypatch.setattr(Service, "process_response", method)
    assert Client(app).get("/").text == "replaced"


def test_what_cannot_be_compiled_is_left_to_flask(
    app: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """Flask's own code answers, and the log says why."""
    app.url_map.converters["odd"] = type("Odd", (BaseConverter,), {"regex": "("})
    app.add_url_rule("/<odd:value>", "odd", lambda value: "never")
    assert Client(app).get("/").get_json() == [False]
    assert "bare cannot be compiled" in caplog.text


@pytest.mark.parametrize("kind", [flask.Flask, Service])
def test_view_that_cannot_be_prepared_harms_no_other(kind: type[flask.Flask]) -> None:
    """A coroutine function without asgiref fails when it is asked for."""

    class Without(kind):  # type: ignore[valid-type, misc]  # one of two
        def async_to_sync(self, func: Any) -> Any:
            raise RuntimeError("asgiref is not installed")

    async def view() -> str:
        return "never"

    app = Without("bare")
    app.add_url_rule("/async", "async", view)
    app.add_url_rule("/", "index", lambda: [type(cv_request.get()) is Context])
    app.register_error_handler(RuntimeError, lambda error: (str(error), 418))
    app.before_request(lambda: ("login", 401) if "login" in flask.request.args else None)
    answers = [Client(app).get(path) for path in ("/", "/async", "/async?login", "/")]
    assert [it.status_code for it in answers] == [200, 418, 401, 200]
    assert answers[3].get_json() == [kind is Service]


CHANGED = {
    "REQUEST_METHOD": "PUT",
    "PATH_INFO": "/changed",
    "QUERY_STRING": "changed=1",
    "REMOTE_ADDR": "192.0.2.1",
    "SCRIPT_NAME": "/changed",
    "HTTP_HOST": "changed.test",
    "wsgi.url_scheme": "https",
    "SERVER_NAME": "changed.test",
}


@pytest.mark.parametrize("kind", [flask.Flask, Service])
@pytest.mark.parametrize("known", [False, True])
def test_changed_environment_does_not_change_the_request(
    kind: type[flask.Flask], known: bool
) -> None:
    """What the request says of itself is what it came with."""

    def view() -> list[Any]:
        request = flask.request
        request.environ.update(CHANGED)
        told = (request.method, request.path, request.query_string.decode(), request.remote_addr)
        return [*told, request.root_path, request.host, request.scheme, request.server]

    app = kind("bare")
    app.add_url_rule("/", "index", view)
    for _ in range(1 + known):  # the second time, the host is one that was accepted before
        answer = Client(app).get("/?a=1", environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_json()
    expected = ["GET", "/", "a=1", "127.0.0.1", "", "localhost", "http", ["localhost", 80]]
    assert answer == expected


class Answering(Conflict):
    """An error that answers in a way of its own."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        start_response("299 Own", [("Content-Type", "text/plain")])
        return [b"own way"]


class Delegating(Conflict):
    """An error whose response is any WSGI callable."""

    def get_response(self, *args: Any) -> Any:
        return Answering()


@pytest.mark.parametrize("kind", [flask.Flask, Service])
@pytest.mark.parametrize("error", [Answering, Delegating])
@pytest.mark.parametrize(("method", "body"), [("GET", "own way"), ("HEAD", "")])
def test_errors_that_answer_by_themselves(
    kind: type[flask.Flask], error: Callable[[], HTTPException], method: str, body: str
) -> None:
    """An error is a WSGI application, and may be one of its own kind."""
    app = kind("bare")

    def view() -> str:
        raise error()

    app.add_url_rule("/", "index", view)
    app.register_error_handler(409, lambda it: it)
    answer = Client(app).open("/", method=method)
    assert (answer.status, answer.text) == ("299 Own", body)


@pytest.mark.parametrize("kind", [flask.Flask, Service])
def test_forgotten_application_context_is_an_error(kind: type[flask.Flask]) -> None:
    """A context that a view has pushed and left there does not stay."""
    app = kind("bare")
    app.add_url_rule("/", "index", lambda: app.app_context().push() or "")  # type: ignore[func-returns-value]  # None
    with pytest.raises(AssertionError, match="Popped wrong app context"):
        Client(app).get("/")


@pytest.mark.parametrize("kind", [flask.Flask, Service])
def test_changed_defaults_of_responses(
    kind: type[flask.Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was changed in Flask's class of responses holds for direct answers too."""
    monkeypatch.setattr(flask.Response, "default_mimetype", "text/plain")
    app = kind("bare")
    app.add_url_rule("/", "index", lambda: "text")
    assert Client(app).get("/").mimetype == "text/plain"


def test_entry_patched_in_flask_is_called(app: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is what stands in the place of Flask's ``wsgi_app``."""
    entry, called = flask.Flask.wsgi_app, []
    monkeypatch.setattr(
        flask.Flask, "wsgi_app", lambda *args: called.append("traced") or entry(*args)
    )
    assert Client(app).get("/").get_json() == [False]
    assert called == ["traced"]


def test_entry_of_a_subclass_calls_the_engine() -> None:
    """A subclass that does something before each request, or after, loses nothing."""

    class Own(Service):
        def wsgi_app(self, environ: Any, start_response: Any) -> Any:
            return super().wsgi_app(environ, start_response)

    app = Own("bare")
    app.add_url_rule("/", "index", lambda: [type(cv_request.get()) is Context])
    assert is_compiled(app)


def test_class_behind_the_service_is_called() -> None:
    """A class that stands between the service and Flask has its methods called."""
    called: list[str] = []

    class Behind(flask.Flask):
        def wsgi_app(self, environ: Any, start_response: Any) -> Any:
            called.append("behind")
            return super().wsgi_app(environ, start_response)

    app = type("Both", (Service, Behind), {})("bare")
    app.add_url_rule("/", "index", lambda: "")
    assert (Client(app).get("/").status_code, called) == (200, ["behind"])


def test_method_from_anywhere_takes_flasks_way() -> None:
    """A method whose module has no name, as code that was executed has none, is one's own."""
    known: dict[str, Any] = {"Service": Service}
    exec(  # noqa: S102 -- the case
        "class Own(Service):\n def make_response(self, rv): return super().make_response(rv)", known
    )
    app = known["Own"]("bare")
    app.add_url_rule("/", "index", lambda: [type(cv_request.get()) is Context])
    assert not is_compiled(app)


@pytest.mark.parametrize("kind", [flask.Flask, Service])
def test_copy_of_an_application(kind: type[flask.Flask]) -> None:
    """The copy and the original each answer by what is theirs."""
    app = kind("bare")
    app.add_url_rule("/", "index", lambda: "one")
    copied = copy.copy(app)
    copied.view_functions = {"index": lambda: "two"}
    apps = [app, copied, app, copied]
    assert [Client(it).get("/").text for it in apps] == ["one", "two", "one", "two"]
    app.view_functions["index"] = lambda: "three"
    assert [Client(it).get("/").text for it in apps[:2]] == ["three", "two"]


@pytest.mark.parametrize("kind", [flask.Flask, Service])
def test_attribute_set_before_the_constructor(kind: type[flask.Flask]) -> None:
    """A subclass may set what is compiled before it calls its parent's constructor."""

    class Own(flask.Response):
        default_mimetype = "text/plain"

    class App(kind):  # type: ignore[valid-type, misc]  # one of two
        def __init__(self) -> None:
            self.response_class = Own
            super().__init__("bare")

    app = App()
    app.add_url_rule("/", "index", lambda: "text")
    assert Client(app).get("/").mimetype == "text/plain"


@pytest.mark.parametrize("kind", [flask.Flask, Service])
def test_body_of_another_environment(kind: type[flask.Flask]) -> None:
    """A hook may give the request another environment, and with it another body."""

    def view() -> bytes:
        body = {"wsgi.input": io.BytesIO(b"new"), "CONTENT_LENGTH": "3"}
        flask.request.environ = {**flask.request.environ, **body}
        return flask.request.get_data()

    app = kind("bare")
    app.add_url_rule("/", "index", view, methods=["POST"])
    assert Client(app).post("/", data="before").data == b"new"
