"""Flask's request, whose attributes are taken from the environment when they are first read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import flask
from werkzeug.datastructures import EnvironHeaders, Headers
from werkzeug.wsgi import get_host

from buttress.engine.flaskcompat import decoded, server_of
from buttress.engine.lazy import lazy

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Request(flask.Request):
    """What ``request`` is where the application has no request class of its own."""

    shallow = False

    def __init__(
        self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False
    ) -> None:
        self.environ = environ
        if shallow:
            self.shallow = True
        elif populate_request:
            environ["werkzeug.request"] = self

    @lazy
    def method(self) -> str:
        """The method, in capitals."""
        return cast("str", self.environ.get("REQUEST_METHOD", "GET")).upper()

    @lazy
    def scheme(self) -> str:
        """The scheme of the URL."""
        return cast("str", self.environ.get("wsgi.url_scheme", "http"))

    @lazy
    def server(self) -> tuple[str, int | None] | None:
        """The address of the server."""
        return server_of(self.environ)

    @lazy
    def root_path(self) -> str:
        """The prefix under which the application is mounted, without a slash at its end."""
        return decoded(self.environ.get("SCRIPT_NAME") or "").rstrip("/")

    @lazy
    def path(self) -> str:
        """The path below `root_path`, with one slash at its begin."""
        return "/" + decoded(self.environ.get("PATH_INFO") or "").lstrip("/")

    @lazy
    def query_string(self) -> bytes:
        """What follows the question mark, as it came."""
        return cast("str", self.environ.get("QUERY_STRING", "")).encode("latin1")

    @lazy
    def headers(self) -> Headers:
        """The headers of the request."""
        return EnvironHeaders(self.environ)

    @lazy
    def remote_addr(self) -> str | None:
        """The address of the client."""
        return self.environ.get("REMOTE_ADDR")

    @lazy
    def host(self) -> str:
        """The host asked for; Flask notes it before any hook could narrow the trusted ones."""
        return get_host(self.environ, type(self).trusted_hosts)
