"""What can be unusual about an application: other classes, overridden methods, patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask.ctx import _AppCtxGlobals
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSessionInterface, SessionInterface
from werkzeug.routing import Rule

from tests.engine.differential.recording import Recorder

#: Methods that a subclass or an instance may replace; each calls the one that it replaces.
REPLACEABLE = (
    *("full_dispatch_request", "preprocess_request", "dispatch_request", "finalize_request"),
    *("make_response", "process_response", "handle_exception", "handle_user_exception"),
    *("handle_http_exception", "log_exception", "should_ignore_error", "create_url_adapter"),
    *("request_context", "app_context", "do_teardown_request", "do_teardown_appcontext"),
    *("make_default_options_response", "inject_url_defaults", "wsgi_app"),
    *("raise_routing_exception", "trap_http_exception", "handle_url_build_error", "url_for"),
    *("make_aborter", "select_jinja_autoescape", "__call__", "update_template_context"),
)


class CountingRequest(flask.Request):
    """A request with an attribute and a limit of its own."""

    max_content_length = 64

    @property
    def token(self) -> str:
        """Give a header."""
        return self.headers.get("X-Token", "")


class StrictRequest(flask.Request):
    """A request whose construction can fail."""

    def __init__(self, environ: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(environ, *args, **kwargs)
        if self.path == "/leaf" and self.method == "PUT":
            raise ValueError("not this one")


class XmlResponse(flask.Response):
    """A response with another default."""

    default_mimetype = "text/xml"
    default_status = 299


class ServerSideSession(SecureCookieSessionInterface):
    """Keep sessions in memory, and say when they are opened and saved."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def open_session(self, app: flask.Flask, request: flask.Request) -> Any:
        """Open it, with the request at hand."""
        self.recorder.note("open session", flask.request.path, flask.request.endpoint)
        return super().open_session(app, request)

    def save_session(self, app: flask.Flask, session: Any, response: flask.Response) -> None:
        """Save it."""
        self.recorder.note("save session", dict(session), session.accessed, response)
        super().save_session(app, session, response)


class NoSession(SessionInterface):
    """Have no sessions."""

    def open_session(self, app: flask.Flask, request: flask.Request) -> None:
        """Open none."""


class FailingSession(SessionInterface):
    """Fail to open a session."""

    def open_session(self, app: flask.Flask, request: flask.Request) -> Any:
        """Fail where there is a query."""
        if request.query_string:
            raise flask.abort(403, "no session")
        return {}

    def save_session(self, app: flask.Flask, session: Any, response: flask.Response) -> None:
        """Save it in a header."""
        response.headers["X-Session"] = str(dict(session))


class OwnJson(DefaultJSONProvider):
    """Write JSON in a way of its own."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write it in brackets."""
        return f"<{super().dumps(obj, **kwargs)}>"


class OwnRule(Rule):
    """A rule that hides one path."""

    def get_rules(self, map: Any) -> Any:
        """Give itself."""
        yield self


class OwnGlobals(_AppCtxGlobals):
    """Globals that are not empty."""

    mark = 100


def attributes(**given: Any) -> Callable[[Recorder], type]:
    """Give a function that makes a mixin with these attributes."""
    return lambda _: type("Mixin", (), given)


def overriding(name: str) -> Callable[[Recorder], type]:
    """Give a function that makes a mixin which notes the calls of a method."""

    def make(recorder: Recorder) -> type:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            recorder.note("override", name)
            return getattr(super(Mixin, self), name)(*args, **kwargs)

        Mixin = type("Mixin", (), {name: method})  # a class
        return Mixin

    return make


def patching(name: str) -> Callable[[flask.Flask, Recorder], None]:
    """Give a function that replaces a method on the instance by one that notes its calls."""

    def patch(app: flask.Flask, recorder: Recorder) -> None:
        original = getattr(app, name)

        def replaced(*args: Any, **kwargs: Any) -> Any:
            recorder.note("patch", name)
            return original(*args, **kwargs)

        setattr(app, name, replaced)

    return patch


def noting(function: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    """Wrap a function so that its calls are noted."""

    def noted(*args: Any, **kwargs: Any) -> Any:
        recorder.note("synchronous", function.__name__)
        return function(*args, **kwargs)

    return noted


def own_ensure_sync(recorder: Recorder) -> type:
    """Make a mixin that wraps every function of the application; when it does so is not told."""

    class Mixin:
        def ensure_sync(self, function: Callable[..., Any]) -> Callable[..., Any]:
            return noting(super().ensure_sync(function), recorder)  # type: ignore[misc]  # a mixin

    return Mixin


def patch_ensure_sync(app: flask.Flask, recorder: Recorder) -> None:
    """Wrap every function of the application."""
    original = app.ensure_sync
    app.ensure_sync = lambda it: noting(original(it), recorder)  # type: ignore[method-assign]  # a patch


def middleware(app: flask.Flask, recorder: Recorder) -> None:
    """Wrap the application as Flask's documentation shows."""
    inner = app.wsgi_app

    def outer(environ: dict[str, Any], start_response: Any) -> Any:
        recorder.note("middleware", environ["PATH_INFO"])
        return inner(environ, start_response)

    app.wsgi_app = outer  # type: ignore[method-assign]  # the documented way


CLASS_ODDITIES: dict[str, Callable[[Recorder], type]] = {
    "request class": attributes(request_class=CountingRequest),
    "strict request class": attributes(request_class=StrictRequest),
    "response class": attributes(response_class=XmlResponse),
    "json provider": attributes(json_provider_class=OwnJson),
    "rule class": attributes(url_rule_class=OwnRule),
    "globals class": attributes(app_ctx_globals_class=OwnGlobals),
    "no session": attributes(session_interface=NoSession()),
    "failing session": attributes(session_interface=FailingSession()),
    "session interface": lambda it: type("M", (), {"session_interface": ServerSideSession(it)}),
    "override ensure_sync": own_ensure_sync,
    **{f"override {name}": overriding(name) for name in REPLACEABLE},
}
INSTANCE_ODDITIES: dict[str, Callable[[flask.Flask, Recorder], None]] = {
    "middleware": middleware,
    "sorted keys off": lambda app, _: setattr(app.json, "sort_keys", False),
    "ascii off": lambda app, _: setattr(app.json, "ensure_ascii", False),
    "compact json": lambda app, _: setattr(app.json, "compact", True),
    "spread json": lambda app, _: setattr(app.json, "compact", False),
    "json mimetype": lambda app, _: setattr(app.json, "mimetype", "application/x-json"),
    "json default": lambda app, _: setattr(app.json, "default", str),
    "build error handler": lambda app, _: app.url_build_error_handlers.append(
        lambda error, endpoint, values: f"/built/{endpoint}"
    ),
    "patch ensure_sync": patch_ensure_sync,
    **{
        f"patch {name}": patching(name)
        for name in REPLACEABLE
        if name not in ("__call__", "make_aborter")
    },
}
