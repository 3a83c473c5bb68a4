"""What is done to an application between two requests: by its methods, or to its insides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from werkzeug.routing import Rule

from tests.engine.differential.building import add_hook, hook_function, view_of
from tests.engine.differential.description import Endpoint, Hook, View
from tests.engine.differential.oddities import (
    CountingRequest,
    NoSession,
    OwnGlobals,
    OwnJson,
    ServerSideSession,
    XmlResponse,
    middleware,
    patch_ensure_sync,
    patching,
)
from tests.engine.differential.recording import Recorder

Do = Callable[[flask.Flask, Recorder], Any]


def setting(**values: Any) -> Do:
    """Give a function that changes the configuration."""
    return lambda app, _: app.config.update(values)


def attribute(name: str, value: Any) -> Do:
    """Give a function that sets an attribute of the application."""
    return lambda app, _: setattr(app, name, value)


def hook(kind: str, does: str, *steps: str) -> Callable[[Recorder], Any]:
    """Give a function that makes a hook."""
    return lambda recorder: hook_function(Hook(kind, does, steps), "late", recorder)


def late_rule(app: flask.Flask, recorder: Recorder) -> None:
    """Add a rule below the application, which does not see it."""
    app.view_functions["late"] = view_of(Endpoint("late", View(answer="dict"), ()), recorder)
    app.url_map.add(Rule("/late/<int:n>", endpoint="late"))
    app.url_map.add(Rule("/a", endpoint="late", methods=["PUT", "POST"]))


def replace_views(app: flask.Flask, recorder: Recorder) -> None:
    """Put another view in the place of each."""
    for name in list(app.view_functions):
        described = Endpoint(name, View(("set g",), "view args"), ())
        app.view_functions[name] = view_of(described, recorder)


def forget_views(app: flask.Flask, recorder: Recorder) -> None:
    """Take the view of a rule away."""
    app.view_functions.pop("leaf", None)


def registering(register: Callable[[flask.Flask, Recorder], Any]) -> Do:
    """Give a function that registers late, and notes whether that is refused."""

    def attempt(app: flask.Flask, recorder: Recorder) -> None:
        try:
            register(app, recorder)
        except AssertionError as error:
            recorder.note("refused", type(error).__name__)

    return attempt


def before(app: flask.Flask, recorder: Recorder) -> None:
    """Append to the list of hooks."""
    app.before_request_funcs.setdefault(None, []).append(
        hook("before_request", "nothing", "set g")(recorder)
    )


def connect(app: flask.Flask, recorder: Recorder) -> None:
    """Connect a receiver that lives as long as the application."""

    def receiver(sender: Any, **values: Any) -> None:
        recorder.note("late signal", sender.name)

    app.extensions["receiver"] = receiver
    flask.request_started.connect(receiver, app)


CHANGES: dict[str, Do] = {
    "debug": attribute("debug", True),
    "testing": attribute("testing", True),
    "propagate": setting(PROPAGATE_EXCEPTIONS=True),
    "do not propagate": setting(PROPAGATE_EXCEPTIONS=False),
    "trap http": setting(TRAP_HTTP_EXCEPTIONS=True),
    "trap bad request": setting(TRAP_BAD_REQUEST_ERRORS=True),
    "no secret": attribute("secret_key", None),
    "other secret": setting(SECRET_KEY="another"),
    "no refresh": setting(SESSION_REFRESH_EACH_REQUEST=False),
    "other cookie": setting(SESSION_COOKIE_NAME="other", SESSION_COOKIE_HTTPONLY=False),
    "small bodies": setting(MAX_CONTENT_LENGTH=5),
    "trusted hosts": setting(TRUSTED_HOSTS=["example.test"]),
    "server name": setting(SERVER_NAME="example.test"),
    "append before": before,
    "before in place": lambda app, log: app.before_request_funcs.__setitem__(
        None, [hook("before_request", "text")(log)]
    ),
    "insert after": lambda app, log: app.after_request_funcs[None].insert(
        0, hook("after_request", "header")(log)
    ),
    "append teardown": lambda app, log: app.teardown_request_funcs[None].append(
        hook("teardown_request", "nothing", "value error")(log)
    ),
    "append context teardown": lambda app, log: app.teardown_appcontext_funcs.append(
        hook("teardown_appcontext", "nothing")(log)
    ),
    "append preprocessor": lambda app, log: app.url_value_preprocessors[None].append(
        hook("url_value_preprocessor", "set")(log)
    ),
    "forget hooks": lambda app, _: (
        app.before_request_funcs.clear(),
        app.after_request_funcs.clear(),
    ),
    "replace views": replace_views,
    "forget a view": forget_views,
    "late rule": late_rule,
    "register a rule": registering(lambda app, _: app.add_url_rule("/new", "new", lambda: "new")),
    "register a hook": registering(
        lambda app, log: add_hook(app, Hook("before_request", "text"), "late", log)
    ),
    "register a handler": registering(
        lambda app, log: app.register_error_handler(404, lambda error: ("late", 404))
    ),
    "handler in table": lambda app, log: app.error_handler_spec[None][None].__setitem__(
        ValueError, hook("errorhandler", "status")(log)
    ),
    "request class": attribute("request_class", CountingRequest),
    "response class": attribute("response_class", XmlResponse),
    "globals class": attribute("app_ctx_globals_class", OwnGlobals),
    "no session": attribute("session_interface", NoSession()),
    "session interface": lambda app, log: setattr(app, "session_interface", ServerSideSession(log)),
    "json provider": lambda app, _: setattr(app, "json", OwnJson(app)),
    "unsorted json": lambda app, _: setattr(app.json, "sort_keys", False),
    "strict slashes off": lambda app, _: setattr(app.url_map, "strict_slashes", False),
    "merge slashes off": lambda app, _: setattr(app.url_map, "merge_slashes", False),
    "middleware": middleware,
    "connect": connect,
    "patch ensure_sync": patch_ensure_sync,
    **{
        f"patch {name}": patching(name)
        for name in (
            "make_response",
            "process_response",
            "dispatch_request",
            "preprocess_request",
            "full_dispatch_request",
            "create_url_adapter",
            "handle_user_exception",
            "do_teardown_request",
            "finalize_request",
        )
    },
}
