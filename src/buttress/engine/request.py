"""Flask's request, whose attributes are taken from the environment when they are first read."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, cast
from urllib.parse import parse_qsl

import flask
from werkzeug.datastructures import Authorization, EnvironHeaders, Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import LimitedStream, get_host, get_input_stream

from buttress.engine.flaskcompat import decoded, server_of
from buttress.engine.lazy import lazy

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: What Flask's request reads from the environment when it is made.
_TAKEN_AT_ONCE = "method scheme server root_path path query_string remote_addr".split()
#: Werkzeug's way with bytes that are not UTF-8, as it registers it among the codecs' handlers.
ENCODED = "werkzeug.url_quote"


class BoundedStream(LimitedStream):
    """A body whose end the server knows, and that has a greatest length.

    Werkzeug's own leaves out without a word what goes beyond it, where the body is read as a whole;
    read piece by piece, it refuses one of just the greatest length.
    """

    def __init__(self, source: IO[bytes], limit: int) -> None:
        super().__init__(source, limit, is_max=True)
        self._source = source

    def on_exhausted(self) -> None:
        """Raise `RequestEntityTooLarge` where there is more."""
        if self._source.read(1):
            raise RequestEntityTooLarge

    def readall(self) -> bytes:
        """Read what is left; raise `RequestEntityTooLarge` where there is more than may be."""
        whole = super().readall()
        if self.is_exhausted:
            self.on_exhausted()
        return whole


def input_stream(environ: WSGIEnvironment, *, max_content_length: int | None) -> IO[bytes]:
    """Give the body of a request as `werkzeug.wsgi.get_input_stream` does, and never cut."""
    stream = get_input_stream(environ, max_content_length=max_content_length)
    if max_content_length is None or "wsgi.input_terminated" not in environ:
        return stream
    return cast("IO[bytes]", BoundedStream(environ["wsgi.input"], max_content_length))


class Request(flask.Request):
    """What ``request`` is where the application has no request class of its own."""

    shallow = False
    #: Whether the host was found good before any hook could narrow the trusted ones, when Flask
    #: notes it.
    host_is_known = False

    def __init__(
        self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False
    ) -> None:
        self._environ = environ
        if shallow:
            self.shallow = True
        elif populate_request:
            environ["werkzeug.request"] = self

    @lazy
    def environ(self) -> WSGIEnvironment:
        """The WSGI environment.

        Whoever asks for it may change it, so what Flask takes from it beforehand is taken now.
        """
        for name in _TAKEN_AT_ONCE:
            getattr(self, name)
        if self.host_is_known:
            self.host  # noqa: B018 -- noted by reading it
        return self._environ

    @lazy
    def method(self) -> str:
        """The method, in capitals."""
        return cast("str", self._environ.get("REQUEST_METHOD", "GET")).upper()

    @lazy
    def scheme(self) -> str:
        """The scheme of the URL."""
        return cast("str", self._environ.get("wsgi.url_scheme", "http"))

    @lazy
    def server(self) -> tuple[str, int | None] | None:
        """The address of the server."""
        return server_of(self._environ)

    @lazy
    def root_path(self) -> str:
        """The prefix under which the application is mounted, without a slash at its end."""
        return decoded(self._environ.get("SCRIPT_NAME") or "").rstrip("/")

    @lazy
    def path(self) -> str:
        """The path below `root_path`, with one slash at its begin."""
        return "/" + decoded(self._environ.get("PATH_INFO") or "").lstrip("/")

    @lazy
    def query_string(self) -> bytes:
        """What follows the question mark, as it came."""
        return cast("str", self._environ.get("QUERY_STRING", "")).encode("latin1")

    @lazy
    def args(self) -> MultiDict[str, str]:
        """The parameters of the query; bytes that are not UTF-8 stay percent-encoded.

        Werkzeug has that for those which came percent-encoded, and fails for others.
        """
        pairs = parse_qsl(self._query, keep_blank_values=True, errors=ENCODED)
        return self.parameter_storage_class(pairs)

    @lazy
    def full_path(self) -> str:
        """The path with the query."""
        return f"{self.path}?{self._query}"

    @property
    def _query(self) -> str:
        return self.query_string.decode(errors=ENCODED)

    @lazy
    def authorization(self) -> Authorization | None:
        """The credentials of the request; ``None`` for what cannot be read."""
        try:
            return Authorization.from_header(self.headers.get("Authorization"))
        except ValueError:
            return None

    @lazy
    def headers(self) -> Headers:
        """The headers of the request."""
        return EnvironHeaders(self._environ)

    @lazy
    def stream(self) -> IO[bytes]:
        """The body, to be read once and no further than it may be."""
        if self.shallow:
            raise RuntimeError("The body of a request made with shallow=True cannot be read.")
        environ = self.__dict__.get("environ", self._environ)  # somebody may have set another
        return input_stream(environ, max_content_length=self.max_content_length)

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON by its content type."""
        return self._environ.get("CONTENT_TYPE") == "application/json" or super().is_json

    @lazy
    def remote_addr(self) -> str | None:
        """The address of the client."""
        return self._environ.get("REMOTE_ADDR")

    @lazy
    def host(self) -> str:
        """The host asked for; raises `SecurityError` for one that is not trusted."""
        return get_host(self._environ, None if self.host_is_known else self.trusted_hosts)
