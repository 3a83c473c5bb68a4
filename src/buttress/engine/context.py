"""The context of one request: what ``request``, ``session``, ``g`` and ``current_app`` look into.

One object stands for Flask's request context and application context, as in Flask's next version.
"""

from __future__ import annotations

import sys
from contextvars import Token
from typing import TYPE_CHECKING, Any, TypeGuard

import flask
from flask.sessions import SecureCookieSessionInterface, SessionInterface
from flask.signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    request_tearing_down,
)
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import get_host

from buttress.engine.flaskcompat import NOT_GIVEN, RequestContext, Tokens, cv_app, cv_request
from buttress.engine.lazy import lazy
from buttress.engine.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from flask.sessions import SessionMixin
    from flask.typing import AfterRequestCallable
    from werkzeug.routing import MapAdapter

    from buttress.engine.route import Route
    from buttress.web.edge import Start


class Context(RequestContext):
    """Everything that belongs to one request, made where it is first asked for.

    `RequestContext.__init__` is not run: whatever it would set is here, by the same name.
    """

    flashes = None
    #: Whether the request is in progress, for which the engine makes it the current context.
    running = True
    #: Whether the functions of the end of the application context run.
    leaving_app = False
    #: Whether the host is one that was accepted before.
    host_is_known = False
    #: The values of the path, once a rule is found.
    view_args: dict[str, Any] | None = None
    #: Why there is no rule, where the router knows.
    routing_exception: HTTPException | None = None
    #: The status of the answer, once it has begun.
    code = 0
    #: What the answer begins with, where something answers that is no response.
    start: Start | None = None

    def __init__(self, app: flask.Flask, environ: WSGIEnvironment, route: Route) -> None:
        self.app = app
        self.environ = environ
        #: What answers; until the path is matched, the route of what no rule fits.
        self.route = route

    @lazy
    def request(self) -> flask.Request:
        """The request object."""
        kind = self.app.request_class
        request = (Request if kind is flask.Request else kind)(self.environ)
        request.json_module = self.app.json
        if self.host_is_known:
            self._note_host(request)
        rule = self.route.rule
        if rule is not None:
            request.url_rule = rule
            request.view_args = self.view_args
        elif self.routing_exception is not None:
            request.routing_exception = self.routing_exception
        return request

    def _note_host(self, request: flask.Request) -> None:
        """Do for a host that was accepted before what Flask does where it makes an adapter."""
        trusted = self.app.config["TRUSTED_HOSTS"]
        if trusted is not None:
            request.trusted_hosts = trusted
        if isinstance(request, Request):
            request.host_is_known = True
        else:
            request.host = get_host(self.environ, request.trusted_hosts)

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
        if is_plain_session(interface) and self._is_new_session():
            return interface.session_class()
        self.open_session()
        return self._session

    def open_session(self) -> None:
        """Open the session at once; where that fails there is none, and nobody tries again."""
        self._session = None
        interface = self.app.session_interface
        session = interface.open_session(self.app, self.request)
        self._session = interface.make_null_session(self.app) if session is None else session

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
        if "request" in self.__dict__:
            self.match_request()  # as Flask does, which makes the values of the path anew

    def pop(self, exc: BaseException | None = NOT_GIVEN) -> None:
        """Undo one `push`; once the request has ended, run again what is to run at its end."""
        if exc is NOT_GIVEN:
            exc = sys.exc_info()[1]
        tokens = self._tokens.pop()
        self.leave(exc, *tokens, last=not self.running and not self._tokens)

    def leave(
        self,
        exc: BaseException | None,
        app_token: Token[Any],
        request_token: Token[Any],
        last: bool,
    ) -> None:
        """Make what was current before current again; the last time, tear the request down."""
        app, route, made = self.app, self.route, self.__dict__
        ends_app = last and not self.leaving_app
        try:
            if last and (route.teardown or request_tearing_down.receivers or "request" in made):
                self._tear_down_request(exc)
        finally:
            current = cv_request.get(None)
            cv_request.reset(request_token)
            if last:
                self.running = False
            try:
                if ends_app and (route.teardown_app or appcontext_tearing_down.receivers):
                    self._tear_down_app(exc)
            finally:
                current_app = cv_app.get(None)
                cv_app.reset(app_token)
            if current_app is not self:
                raise AssertionError(
                    f"Popped wrong app context. ({current_app!r} instead of {self!r})"
                )
            if ends_app and appcontext_popped.receivers:
                appcontext_popped.send(app, _async_wrapper=app.ensure_sync)
            if current is not self:
                raise AssertionError(
                    f"Popped wrong request context. ({current!r} instead of {self!r})"
                )

    def _tear_down_request(self, exc: BaseException | None) -> None:
        self.running = True  # a hook may push the context, and leaves it before this is over
        try:
            for hook in self.route.teardown:
                hook(exc)
            if request_tearing_down.receivers:
                request_tearing_down.send(self.app, _async_wrapper=self.app.ensure_sync, exc=exc)
            if "request" in self.__dict__ and hasattr(self.request, "close"):
                self.request.close()
        finally:
            self.environ["werkzeug.request"] = None  # it has the request, which has it

    def _tear_down_app(self, exc: BaseException | None) -> None:
        self.leaving_app = True
        adapter = self.__dict__.get("url_adapter", NOT_GIVEN)
        self.url_adapter = self.app.create_url_adapter(None)  # there is no request any more
        try:
            for hook in self.route.teardown_app:
                hook(exc)
            if appcontext_tearing_down.receivers:
                appcontext_tearing_down.send(self.app, _async_wrapper=self.app.ensure_sync, exc=exc)
        finally:
            self.leaving_app = False
            del self.url_adapter
            if adapter is not NOT_GIVEN:
                self.url_adapter = adapter


def is_plain_session(interface: SessionInterface) -> TypeGuard[SecureCookieSessionInterface]:
    """Tell whether sessions are Flask's own, with nothing of it replaced."""
    return type(interface) is SecureCookieSessionInterface and not vars(interface)
