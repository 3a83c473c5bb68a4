"""The way of a request through an application, of which all is decided that can be beforehand."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from copy import copy
from types import FunctionType
from typing import TYPE_CHECKING, Any

import flask
from flask import Flask
from flask.signals import appcontext_pushed, request_finished, request_started
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Rule

from buttress.engine.answer import Answer, Answers, answer_of
from buttress.engine.context import Context, is_plain_session
from buttress.engine.flaskcompat import RegistrationGuard, cv_app, cv_request
from buttress.engine.route import Route, route_of
from buttress.engine.router import NOWHERE, Router
from buttress.engine.watched import WatchedMap

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from buttress.engine.application import CompiledFlask

logger = logging.getLogger("buttress.engine")

#: The number of hosts that are remembered, and their greatest length (a name has at most 253).
HOSTS, LONGEST_HOST = 1000, 260
PRESERVE = "werkzeug.debug.preserve_context"
UNKNOWN = object()
#: Methods of Flask that the compiled way does the work of. Where an application has its own, all
#: its requests go through Flask's `flask.Flask.wsgi_app`, which calls them.
STOOD_FOR = frozenset(
    "create_url_adapter dispatch_request do_teardown_appcontext do_teardown_request ensure_sync "
    "finalize_request full_dispatch_request make_response preprocess_request process_response "
    "request_context app_context".split()
)


class Compiled:
    """An application as it is at one moment. It holds no reference to the application itself."""

    def __init__(self, app: CompiledFlask) -> None:
        self.edge = app.edge
        #: Hosts that Werkzeug has accepted, with the trusted ones of that moment.
        self._hosts: dict[str, Any] = {}
        #: Whether requests can go the compiled way; Flask's own code answers them otherwise.
        self._regular = False
        try:
            if _is_regular(app):
                self._compile(app)
                self._regular = True
        except Exception:
            logger.exception("%s cannot be compiled; it is answered by Flask alone", app.name)

    def _compile(self, app: CompiledFlask) -> None:
        #: The route of the requests that no rule fits.
        self._unrouted = route_of(app, None)
        self._routes = {id(rule): route_of(app, rule) for rule in app.url_map.iter_rules()}
        self._router = Router(app.url_map, self._routes if _has_paths_only(app) else {})
        self._answers = Answers(app)
        #: Whether opening a session is known to do nothing but read its cookie.
        self._lazy_session = is_plain_session(app.session_interface)

    def __call__(
        self, app: CompiledFlask, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request as Flask's own ``wsgi_app`` does, with what the edge adds to it."""
        edge = self.edge
        if edge is not None:
            early = edge.take(environ)
            if early is not None:
                return edge.pass_through(early, environ, start_response)
        if not self._regular or cv_app.get(None) is not None or PRESERVE in environ:
            if edge is None:
                return app.uncompiled_wsgi_app(environ, start_response)
            return edge.pass_through(app.uncompiled_wsgi_app, environ, start_response)
        context = Context(app, environ, self._unrouted)
        if edge is None:
            return self._serve(app, context, start_response)
        try:
            body = self._serve(app, context, start_response)
        except BaseException:
            edge.tell(environ, context.route.name, 500)
            raise
        if context.start is not None:
            return edge.follow_start(environ, context.start, body)
        return edge.follow(environ, context.route.name, context.code, body)

    def _serve(
        self, app: CompiledFlask, context: Context, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Run a request within its context; give the body of what has been announced."""
        error: BaseException | None = None
        app_token, request_token = cv_app.set(context), cv_request.set(context)
        try:
            try:
                if appcontext_pushed.receivers:
                    appcontext_pushed.send(app, _async_wrapper=app.ensure_sync)
                answer = self._answer(app, context)
            except Exception as failure:  # noqa: BLE001 -- Flask makes an answer of it, or raises it
                error = failure
                answer = app.handle_exception(failure)
            except SystemExit as failure:
                error = failure
                error, answer = app.answer_exit(failure)
            except BaseException as failure:
                error = failure
                raise
            told: Answer | None = (
                answer if type(answer) is tuple else answer_of(answer, context.environ)
            )
            if told is None:
                return self._send_as_it_does(answer, context, start_response)
            status, context.code, headers, body, content_type = told
            if self.edge is not None:
                self.edge.finish(context.environ, headers, content_type)
            start_response(status, headers)
            return body
        finally:
            if error is not None and app.should_ignore_error(error):
                error = None
            context.leave(error, app_token, request_token, not context.__dict__.get("_tokens"))
            error = None  # its traceback has this frame

    def _send_as_it_does(
        self, application: WSGIApplication, context: Context, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Let something answer that is no response, but can answer by itself."""
        if self.edge is None:
            return application(context.environ, start_response)
        context.start = self.edge.start(context.environ, start_response, context.route.name)
        return application(context.environ, context.start)

    def _answer(self, app: CompiledFlask, context: Context) -> Any:
        """Find the route, run its view and hooks, and make the answer of what they give.

        A response is made only where somebody sees it. Errors that nobody handles come through.
        """
        if not self._lazy_session or (
            "HTTP_COOKIE" in context.environ and _may_renew_session(app, context)
        ):
            context.open_session()
        self._match(app, context)
        made = context.__dict__
        try:
            if request_started.receivers:
                request_started.send(app, _async_wrapper=app.ensure_sync)
            route = context.route
            if route.simple and "request" not in made:
                value = route.view(**context.view_args)  # type: ignore[misc, arg-type]  # a rule is found
            else:
                value = self._dispatch(app, context)
        except Exception as error:  # noqa: BLE001 -- as above
            value = app.handle_user_exception(error)
        if not (
            "_after_request_functions" in made
            or "_session" in made
            or "HTTP_COOKIE" in context.environ
            or context.route.after
            or request_finished.receivers
        ):
            if context.environ["REQUEST_METHOD"] != "HEAD":
                answer = self._answers.of(value)
                if answer is not None:
                    return answer
            return self._answers.unseen_response(app, context.environ, value)
        return self._finalize(app, context, value)

    def _match(self, app: CompiledFlask, context: Context) -> None:
        """Find the route: by the router, or by Werkzeug where that does not know."""
        environ = context.environ
        trusted = self._hosts.get(environ.get("HTTP_HOST", ""), UNKNOWN)
        if (
            trusted != app.config["TRUSTED_HOSTS"]
            or "HTTP_UPGRADE" in environ
            or environ["wsgi.url_scheme"] not in ("http", "https")
        ):
            return self._match_by_werkzeug(app, context)
        context.host_is_known = True
        try:
            found = self._router.find(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""))
        except HTTPException as error:  # of a converter
            context.request.routing_exception = error
            return None
        if found is None:
            return self._match_by_werkzeug(app, context)
        if found is NOWHERE:
            context.routing_exception = NotFound()
            if "request" in context.__dict__:
                context.request.routing_exception = context.routing_exception
            return None
        context.route, context.view_args = found
        if "request" in context.__dict__:  # made by a converter or for the session
            context.request.url_rule = context.route.rule
            context.request.view_args = context.view_args
        return None

    def _match_by_werkzeug(self, app: CompiledFlask, context: Context) -> None:
        context.match_request()
        request = context.request
        if context.url_adapter is not None and "HTTP_HOST" in context.environ:
            self._remember(context.environ["HTTP_HOST"], app.config["TRUSTED_HOSTS"])
        if request.url_rule is not None:
            context.view_args = request.view_args
            context.route = self._route_of(app, request.url_rule)

    def _remember(self, host: str, trusted: Any) -> None:
        if len(host) > LONGEST_HOST:
            return
        if len(self._hosts) >= HOSTS:
            self._hosts.clear()
        self._hosts[host] = copy(trusted)

    def _route_of(self, app: CompiledFlask, rule: Rule | None) -> Route:
        if rule is None:
            return self._unrouted
        return self._routes.get(id(rule)) or route_of(app, rule)

    def _dispatch(self, app: CompiledFlask, context: Context) -> Any:
        """Run what comes before the view, and the view, unless one of them answers."""
        route = context.route
        for preprocess in route.preprocessors:
            preprocess(context.request.endpoint, context.request.view_args)
        for hook in route.before:
            value = hook()
            if value is not None:
                return value
        if route.view is not None and "request" not in context.__dict__:
            return route.view(**(context.view_args or {}))
        request = context.request
        if request.url_rule is not route.rule:  # replaced by a hook
            route = context.route = self._route_of(app, request.url_rule)
        if request.routing_exception or request.method == "OPTIONS" or route.view is None:
            return app.dispatch_request()
        return route.view(**(request.view_args or {}))

    def _finalize(self, app: CompiledFlask, context: Context, value: Any) -> flask.Response:
        """Make a response, and show it to all that want to see it."""
        response = self._answers.response(app, value)
        for hook in context._after_request_functions:
            response = app.ensure_sync(hook)(response)
        for hook in context.route.after:
            response = hook(response)
        if "_session" in context.__dict__:
            self._save(app, context._session, response)
        if request_finished.receivers:
            request_finished.send(app, _async_wrapper=app.ensure_sync, response=response)
        return response

    def _save(self, app: CompiledFlask, session: Any, response: flask.Response) -> None:
        interface = app.session_interface
        if interface.is_null_session(session):
            return
        if self._lazy_session and not session and not session.modified:  # nothing to send back
            if session.accessed:
                response.vary.add("Cookie")
            return
        interface.save_session(app, session, response)


def _may_renew_session(app: CompiledFlask, context: Context) -> bool:
    """Tell whether a session came that is sent back even if nobody looks at it."""
    return (
        app.config["SESSION_REFRESH_EACH_REQUEST"]
        and app.config["SESSION_COOKIE_NAME"] in context.environ["HTTP_COOKIE"]
    )


def _is_regular(app: CompiledFlask) -> bool:
    """Tell whether the methods that the compiled way stands for are those of Flask."""
    if app.is_copy or STOOD_FOR & app.__dict__.keys():
        return False
    kinds = type(app).__mro__
    replaced = kinds[kinds.index(RegistrationGuard) :]  # what comes before calls the engine
    return all(
        _is_stock(kind, name)
        for kind in kinds
        for name in (STOOD_FOR | {"wsgi_app"} if kind in replaced else STOOD_FOR)
        if name in kind.__dict__
    )


def _is_stock(kind: type, name: str) -> bool:
    """Tell whether a method is Flask's or this package's, as it was written with its class."""
    method = kind.__dict__[name]
    return (
        kind.__module__.partition(".")[0] in ("buttress", "flask")
        and type(method) is FunctionType
        and method.__globals__.get("__name__") == kind.__module__
    )


def _has_paths_only(app: Flask) -> bool:
    """Tell whether method and path say which rule a request is for, and changes are noticed."""
    by_host = app.subdomain_matching or app.url_map.host_matching
    return isinstance(app.url_map, WatchedMap) and not by_host
