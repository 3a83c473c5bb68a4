"""What views and hooks do: read the request, use the session and the contexts, or fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import flask
from flask import current_app, g, request, session
from werkzeug import exceptions
from werkzeug.routing import RequestRedirect

from tests.engine.differential.recording import Recorder, dated

Step = Callable[[Recorder], Any]


class Refused(ValueError):
    """An exception with a base class, for handlers that are found by MRO."""


class OwnNotFound(exceptions.NotFound):
    """An HTTP exception of the application's own."""

    description = "gone fishing"


class Stop(BaseException):
    """What no handler may catch."""


#: Exceptions that an error handler can be registered for, by name.
ERRORS: dict[str, type[Exception]] = {
    it.__name__: it
    for it in (
        Exception,
        ValueError,
        Refused,
        KeyError,
        RuntimeError,
        TypeError,
        OwnNotFound,
        exceptions.HTTPException,
        exceptions.NotFound,
        exceptions.MethodNotAllowed,
        exceptions.BadRequest,
        exceptions.InternalServerError,
        exceptions.ImATeapot,
    )
}

READS: dict[str, Step] = {
    "method": lambda _: request.method,
    "path": lambda _: (request.path, request.full_path, request.script_root),
    "url": lambda _: (request.url, request.base_url, request.root_url),
    "host": lambda _: (request.host, request.host_url, request.scheme, request.is_secure),
    "args": lambda _: request.args,
    "values": lambda _: request.values,
    "form": lambda _: request.form,
    "form key": lambda _: request.form["missing"],
    "args key": lambda _: request.args["missing"],
    "files": lambda _: {name: file.read() for name, file in request.files.items(multi=True)},
    "json": lambda _: request.json,
    "silent json": lambda _: request.get_json(silent=True, force=True),
    "data": lambda _: request.get_data(),
    "data as text": lambda _: request.get_data(as_text=True, cache=False),
    "stream": lambda _: request.stream.read(3),
    "length": lambda _: (request.content_length, request.content_type, request.is_json),
    "limits": lambda _: (request.max_content_length, request.max_form_parts),
    "headers": lambda _: request.headers,
    "header": lambda _: (request.headers.get("X-Token"), request.user_agent.string),
    "accept": lambda _: (request.accept_mimetypes.best, str(request.accept_languages)),
    "cookies": lambda _: request.cookies,
    "remote": lambda _: (request.remote_addr, request.access_route, request.remote_user),
    "endpoint": lambda _: (request.endpoint, request.blueprint, request.blueprints),
    "view args": lambda _: request.view_args,
    "rule": lambda _: request.url_rule,
    "routing exception": lambda _: request.routing_exception,
    "authorization": lambda _: request.authorization and request.authorization.type,
    "conditions": lambda _: (str(request.if_none_match), request.range and str(request.range)),
    "session": lambda _: (dict(session), session.permanent, session.new, session.modified),
    "session key": lambda _: session.get("user"),
    "flashed": lambda _: flask.get_flashed_messages(with_categories=True),
    "g": lambda _: (sorted(g), g.get("mark"), repr(g)),
    "app": lambda _: (current_app.name, current_app.debug, current_app.testing),
    "contexts": lambda _: _contexts(),
    "own url": lambda _: flask.url_for(request.endpoint or "leaf", **(request.view_args or {})),
    "relative url": lambda _: flask.url_for(".leaf"),
    "url of leaf": lambda _: flask.url_for("leaf", q="a b", _anchor="x"),
    "external url": lambda _: flask.url_for("leaf", _external=True, _scheme="https"),
}

ACTIONS: dict[str, Step] = {
    "set g": lambda _: setattr(g, "mark", g.get("mark", 0) + 1),
    "pop g": lambda _: g.pop("mark", "none"),
    "set session": lambda _: session.__setitem__("user", session.get("user", 0) or "ann"),
    "pop session": lambda _: session.pop("user", None),
    "clear session": lambda _: session.clear(),
    "permanent session": lambda _: setattr(session, "permanent", True),
    "change inside session": lambda _: session.setdefault("list", []).append(1),
    "modified session": lambda _: setattr(session, "modified", True),
    "flash": lambda _: flask.flash("melted", "warning"),
    "after this": lambda log: _after_this(log, "after this"),
    "failing after this": lambda log: flask.after_this_request(_refuse),
    "template": lambda _: flask.render_template_string("{{ who }} {{ request.path }} {{ g }}"),
    "streamed template": lambda log: _streamed(log),
    "app context inside": lambda log: _nested(log, lambda: _inside(current_app.app_context())),
    "request context inside": lambda log: _nested(
        log, lambda: _inside(current_app.test_request_context("/leaf?x=1", method="POST"))
    ),
    "own context again": lambda log: _nested(
        log, lambda: _inside(flask.globals.request_ctx._get_current_object())
    ),
    "copied context": lambda log: _nested(log, _copied),
    "own client": lambda log: _nested(log, _own_client),
    "change environ": lambda _: request.environ.update(HTTP_X_ADDED="1"),
    "change view args": lambda _: request.view_args and request.view_args.update(extra=1),
    "forget view args": lambda _: setattr(request, "view_args", {}),
    "set body limit": lambda _: setattr(request, "max_content_length", 5),
    "make response": lambda _: flask.make_response("made", 201).headers,
    "request object": lambda _: request._get_current_object(),
    "close request": lambda _: request.close(),
}

FAILURES: dict[str, Step] = {
    "abort 404": lambda _: flask.abort(404),
    "abort 418": lambda _: flask.abort(418, "short and stout"),
    "abort 500": lambda _: flask.abort(500),
    "abort 401": lambda _: flask.abort(401),
    "abort with response": lambda _: flask.abort(flask.Response("aborted", 409)),
    "own not found": lambda _: _fail(OwnNotFound()),
    "method not allowed": lambda _: _fail(exceptions.MethodNotAllowed(["GET", "PUT"])),
    "redirect by exception": lambda _: _fail(RequestRedirect("/elsewhere")),
    "exception without code": lambda _: _fail(exceptions.HTTPException("no code")),
    "value error": lambda _: _fail(ValueError("a value")),
    "refused": lambda _: _fail(Refused("refused")),
    "runtime error": lambda _: _fail(RuntimeError("at run time")),
    "type error": lambda _: len(42),
    "key error": lambda _: {}["key"],
    "chained": lambda _: _chained(),
    "url that cannot be built": lambda _: flask.url_for("nowhere"),
    "stop": lambda _: _fail(Stop("stopped")),
    "exit": lambda _: _fail(SystemExit(3)),
}

STEPS: dict[str, Step] = {**READS, **ACTIONS, **FAILURES}


def _fail(error: BaseException) -> NoReturn:
    raise error


def _refuse(response: flask.Response) -> NoReturn:
    raise Refused("after this")


def _chained() -> NoReturn:
    try:
        raise KeyError("first")
    except KeyError as error:
        raise Refused("second") from error


def _contexts() -> tuple[Any, ...]:
    context = flask.globals.request_ctx
    return (
        flask.has_request_context(),
        flask.has_app_context(),
        context.request is request._get_current_object(),
        context.app is current_app._get_current_object(),
        flask.globals.app_ctx.g is g._get_current_object(),
        type(context.url_adapter).__name__,
        context.flashes,
    )


def _after_this(log: Recorder, what: str) -> None:
    @flask.after_this_request
    def add_header(response: flask.Response) -> flask.Response:
        log.note(what, response)
        response.headers.add("X-After-This", "1")
        return response


def _streamed(log: Recorder) -> str:
    with log.reading():
        return "".join(flask.stream_template_string("{{ who }}"))


def _nested(log: Recorder, work: Callable[[], Any]) -> Any:
    """Do what may call hooks that do the same again, but not without end."""
    if log.depth:
        return "deep enough"
    log.depth += 1
    try:
        return work()
    finally:
        log.depth -= 1


def _inside(context: Any) -> tuple[Any, ...]:
    with context:
        here = flask.has_request_context(), sorted(g), current_app.name, _path()
        g.inner = 1
    return here, sorted(g), _path()


def _path() -> str | None:
    return request.path if flask.has_request_context() else None


def _copied() -> Any:
    @flask.copy_current_request_context
    def work() -> Any:
        g.inner = 1
        return request.path, sorted(g), request.endpoint

    return work(), sorted(g)


def _own_client() -> Any:
    answer = current_app.test_client().get("/leaf", base_url="http://localhost")
    return answer.status, dated(list(answer.headers)), answer.data, _path()
