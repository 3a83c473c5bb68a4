"""The extension ``web``: request ids, and errors as problem pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buttress.extension import Extension
from buttress.lifecycle import Deadline, State
from buttress.web.deadline import Deadlines
from buttress.web.edge import Headers, edge_of
from buttress.web.hosts import Hosts
from buttress.web.problems import ErrorPages
from buttress.web.proxies import Proxies
from buttress.web.request_id import HEADER, current_request_id, request_id_of
from buttress.web.settings import WebSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from buttress.service import Service


class Web:
    """What ``app.web`` is."""

    def __init__(self, app: Service, settings: WebSettings) -> None:
        self._lifecycle = app.lifecycle
        self.error_pages = ErrorPages(app, settings.errors_style, exposes=settings.expose_traceback)
        self._deadlines = Deadlines(settings)

    @property
    def request_id(self) -> str | None:
        """Give the id of the request that is being answered; ``None`` outside of one."""
        return current_request_id()

    def deadline_of(self, environ: WSGIEnvironment) -> Deadline | None:
        """Give the deadline of a request; ``None`` where it has none."""
        return self._deadlines.of(environ)

    def finish(self, environ: WSGIEnvironment, headers: Headers) -> None:
        """Send the client away while draining.

        A server in front that keeps its connection would never see the readiness.
        """
        if self._lifecycle.state is State.DRAINING:
            headers.append(("Connection", "close"))


class WebExtension(Extension[WebSettings, Web]):
    """Give every request an id and every error a page."""

    name = "web"
    settings = WebSettings

    def build(self, app: Service, settings: WebSettings) -> Web:
        """Make it; the first shortcuts are its own, so that all others see the true client."""
        shortcuts = edge_of(app).shortcuts
        if settings.trusted_proxies:
            shortcuts.append(Proxies(settings.trusted_proxies).believe)
        if settings.allowed_hosts:
            shortcuts.append(Hosts(settings.allowed_hosts).refuse)
        return Web(app, settings)


def install_hooks(app: Service) -> None:
    """Put the request id on every answer; does nothing where ``web`` is not built."""
    if app.slot(WebExtension.name):
        edge_of(app).marks[HEADER] = request_id_of
        edge_of(app).finishers.append(app.use(WebExtension).finish)


def install_errors(app: Service) -> None:
    """Answer every error that no handler of the application's own takes.

    Flask asks for `Exception` last, so any handler of the application comes first. Does nothing
    where ``web`` is not built.
    """
    if app.slot(WebExtension.name):
        handlers = app.error_handler_spec[None][None]
        handlers.setdefault(Exception, app.use(WebExtension).error_pages)
