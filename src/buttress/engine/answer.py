"""From what a view returns to status, headers and body, by a response where one is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import flask
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Response as WerkzeugResponse

from buttress.engine.flaskcompat import bytes_of, headers_of, plain_response
from buttress.engine.jsonprovider import JSONProvider, content_type_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PLAIN = (flask.Response, WerkzeugResponse)
HTML, JSON = "text/html; charset=utf-8", "application/json"
#: Statuses whose answers have a body and a length, with their lines.
_LINES = {
    code: f"{code} {name.upper()}"
    for code, name in HTTP_STATUS_CODES.items()
    if code >= 200 and code not in (204, 304)
}


Write = Callable[[Any], bytes]


#: What a server is told: status line, code, headers, body, and the type of the content where it is
#: all that the headers say. A plain tuple, since it is made for every request.
Answer: TypeAlias = tuple[str, int, list[tuple[str, str]], Iterable[bytes], str | None]


def _defaults() -> tuple[object, ...]:
    kind = flask.Response
    return kind.default_status, kind.default_mimetype, kind.automatically_set_content_length


#: What a response has by default, unless somebody has changed the class.
_DEFAULTS = (200, "text/html", True)


class Answers:
    """Make answers as `flask.Flask.make_response` and `flask.Response` do, at less expense.

    Nothing is left out for a response class or a JSON provider of the application's own.
    """

    def __init__(self, app: flask.Flask) -> None:
        self._json = cast("JSONProvider", app.json)  # asked only where it is one
        self._plain = app.response_class is flask.Response and _defaults() == _DEFAULTS
        self._writers: dict[type, tuple[Write, str | None]] = {}
        if self._plain:
            self._writers = {str: (str.encode, HTML), bytes: (bytes, HTML)}
            if _responds_as_flask(app.json):
                self._writers[dict] = self._writers[list] = (self._json.body, None)

    def of(self, value: Any) -> Answer | None:
        """Answer with a value of the simplest kinds; ``None`` where a response has to be made."""
        line, code = "200 OK", 200
        if type(value) is tuple and len(value) == 2 and type(value[1]) is int:
            value, code = value
            line = _LINES.get(code, "")
        writer = self._writers.get(type(value))
        if writer is None or not line:
            return None
        write, kind = writer
        body = write(value)
        if kind is None:
            mimetype = self._json.mimetype
            kind = JSON if mimetype == JSON else content_type_of(mimetype)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        return line, code, headers, [body], kind

    def response(self, app: flask.Flask, value: Any) -> flask.Response:
        """Make the response that a value stands for."""
        answer = self.of(value)
        if answer is None:
            return app.make_response(value)
        line, code, headers, body, _ = answer
        return plain_response(flask.Response, (line, code), headers, body)

    def unseen_response(self, app: flask.Flask, environ: WSGIEnvironment, value: Any) -> Any:
        """Make the response that a value stands for, and that no hook is going to see."""
        if self._plain and isinstance(value, HTTPException) and _answers_by_response(type(value)):
            value = value.get_response(environ)
            if type(value) in PLAIN:  # Flask would copy it into its own class
                return value
        return self.response(app, value)


def _answers_by_response(kind: type[HTTPException]) -> bool:
    """Tell whether calling an error does nothing but call its response."""
    return kind.__call__ is HTTPException.__call__


def _responds_as_flask(provider: object) -> bool:
    """Tell whether a provider makes of an object what `JSONProvider.body` gives."""
    return (
        isinstance(provider, JSONProvider)
        and type(provider).response is JSONProvider.response
        and not {"response", "body"} & vars(provider).keys()
    )


def answer_of(response: flask.Response, environ: WSGIEnvironment) -> Answer | None:
    """Give what a response tells the server; ``None`` where it does that in a way of its own."""
    kind = type(response)
    if kind in PLAIN and environ["REQUEST_METHOD"] != "HEAD":
        body = bytes_of(response)
        if body is not None and response.status_code in _LINES:
            headers = headers_of(response)
            if _is_complete(headers):
                # A copy: a response may be shared by requests, and others add to this list.
                return response.status, response.status_code, [*headers], [body], None
    if kind.__call__ is not WerkzeugResponse.__call__:
        return None
    body_of_any, status, headers = response.get_wsgi_response(environ)
    return status, response.status_code, headers, body_of_any, None


def _is_complete(headers: list[tuple[str, str]]) -> bool:
    """Tell whether nothing is to be added to headers or changed in them."""
    complete = False
    for name, _ in headers:
        lower = name.lower()
        if lower == "content-length":
            complete = True
        elif lower in ("location", "content-location"):
            return False
    return complete
