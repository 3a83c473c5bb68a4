"""The context of one request: what ``request``, ``session``, ``g`` and ``current_app`` look into.

One object stands for Flask's request context and application context, as in Flask's next version.
"""

from __future__ import annotations

import sys
from contextvars import Token
from typing import TYPE_CHECKING, Any

import flask
from flask.sessions import SecureCookieSessionInterface
from flask.signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    request_tearing_down,
)
from werkzeug.exceptions import HTTPException

from buttress.engine.flaskcompat import NOT_GIVEN, RequestContext, Tokens, cv_app, cv_request
from buttress.engine.lazy import lazy
from buttress.engine.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from flask.sessions import SessionMixin
    from flask.typing import AfterRequestCallable
    from werkzeug.routing import MapAdapter

    from buttress.engine.route import Route


class Context(RequestContext):
    """Everything that belongs to one request, made where it is first asked for."""

    flashes = None
    #: Whether the request is in progress, for which the engine makes it the current context.
    running = True

    def __init__(self, app: flask.Flask, environ: WSGIEnvironment, route: Route) -> None:
        self.app = app
        self.environ = environ
        #: What answers; until the path is matched, the route of what no rule fits.
        self.route = route
        self.view_args: dict[str, Any] | None = None

    @lazy
    def request(self) -> flask.Request:
        """The request object."""
        kind = self.app.request_class
        request = (Request if kind is flask.Request else kind)(self.environ)
        request.json_module = self.app.json
        rule = self.route.rule
        if rule is not None:
            request.url_rule = rule
            request.view_args = self.view_args
        return request

    @lazy
    def url_adapter(self) -> MapAdapter | None:
        """What matches and builds the URLs of this request; ``None`` for a host it refuses."""
        try:
            return self.app.create_url_adapter(self.request)
        except HTTPException as error:
            self.request.routing_exception = error
            return None

    @lazy
    def g(self) -> Any:
        """The namespace of the request."""
        return self.app.app_ctx_globals_class()

    @lazy
    def _session(self) -> SessionMixin | None:
        """The session; reading `RequestContext.session` notes that it was."""
        interface = self.app.session_interface
        if type(interface) is SecureCookieSessionInterface and self._is_new_session():
            return interface.session_class()
        session = interface.open_session(self.app, self.request)
        return interface.make_null_session(self.app) if session is None else session

    def _is_new_session(self) -> bool:
        """Tell whether nothing that came with the request can be a session."""
        name = self.app.config["SESSION_COOKIE_NAME"]
        return bool(self.app.secret_key) and name not in self.environ.get("HTTP_COOKIE", "")

    @lazy
    def _after_request_functions(self) -> list[AfterRequestCallable[Any]]:
        """The functions of ``after_this_request``."""
        return []

    @lazy
    def _tokens(self) -> list[Tokens]:
        """What undoes each push beside the engine's own."""
        return []

    def copy(self) -> RequestContext:
        """Copy the context, for another thread or greenlet, with the same request and session."""
        return RequestContext(self.app, self.environ, self.request, self._session)

    def match_request(self) -> None:
        """Find the rule of the request as Flask does, at the expense that it takes."""
        if self.url_adapter is not None:
            super().match_request()

    def push(self) -> None:
        """Make it the current context once more, as a stream does for its own duration."""
        first = not self.running and not self._tokens
        self._tokens.append((cv_app.set(self), cv_request.set(self)))
        if first and appcontext_pushed.receivers:
            appcontext_pushed.send(self.app, _async_wrapper=self.app.ensure_sync)

    def pop(self, exc: BaseException | None = NOT_GIVEN) -> None:
        """Undo one `push`; once the request has ended, run again what is to run at its end."""
        if exc is NOT_GIVEN:
            exc = sys.exc_info()[1]
        self.leave(exc, *self._tokens.pop())

    def leave(
        self, exc: BaseException | None, app_token: Token[Any], request_token: Token[Any]
    ) -> None:
        """Make what was current before current again; the last time, tear the request down."""
        app, route, made = self.app, self.route, self.__dict__
        last = not (self.running or ("_tokens" in made and self._tokens))
        try:
            if last:
                for hook in route.teardown:
                    hook(exc)
                if request_tearing_down.receivers:
                    request_tearing_down.send(app, _async_wrapper=app.ensure_sync, exc=exc)
                if "request" in made:
                    self._close_request()
        finally:
            current = cv_request.get(None)
            cv_request.reset(request_token)
            if last and "request" in made:
                self.environ["werkzeug.request"] = None  # it has the request, which has it
            try:
                if last:
                    for hook in route.teardown_app:
                        hook(exc)
                    if appcontext_tearing_down.receivers:
                        appcontext_tearing_down.send(app, _async_wrapper=app.ensure_sync, exc=exc)
            finally:
                cv_app.reset(app_token)
            if last and appcontext_popped.receivers:
                appcontext_popped.send(app, _async_wrapper=app.ensure_sync)
            if current is not self:
                raise AssertionError(
                    f"Popped wrong request context. ({current!r} instead of {self!r})"
                )

    def _close_request(self) -> None:
        if hasattr(self.request, "close"):
            self.request.close()
