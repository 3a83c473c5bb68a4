"""Errors as answers: problem documents (RFC 9457), a page for browsers, and Gnar's shape."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Literal

from flask import request
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.wrappers import Response

from buttress.errors import Code, Problem
from buttress.web.page import POLICY, page
from buttress.web.request_id import request_id_of

if TYPE_CHECKING:
    from buttress.service import Service

PROBLEM_JSON = "application/problem+json"


class ErrorPages:
    """The error handler of last resort of one service."""

    def __init__(self, app: Service, style: Literal["problem", "gnar"]) -> None:
        self._app = app
        self._render = _gnar if style == "gnar" else _problem

    def __call__(self, error: Exception) -> Response:
        """Answer an HTTP error; let any other reach Flask, which logs it and asks again."""
        if not isinstance(error, HTTPException) or self._trapped(error):
            raise error
        if error.response is not None:
            return error.response  # type: ignore[return-value]  # werkzeug's sans-io class, here always its WSGI one
        return self._render(self._app, error)

    def _trapped(self, error: HTTPException) -> bool:
        """Tell whether the service asked Flask to raise this error; never the 500 of another."""
        config = self._app.config
        if getattr(error, "original_exception", None) is not None:
            return False
        bad_request = isinstance(error, BadRequest) and config["TRAP_BAD_REQUEST_ERRORS"]
        return bool(config["TRAP_HTTP_EXCEPTIONS"] or bad_request)


def document(app: Service, error: HTTPException) -> dict[str, Any]:
    """Describe an error by the members of RFC 9457, ``code`` and ``request_id``.

    None of them is replaced by what a `Problem` adds.
    """
    status = error.code or 500
    return {
        **(error.extra if isinstance(error, Problem) else {}),
        "type": "about:blank",
        "title": error.name,
        "status": status,
        "detail": _traceback(app, error) or error.description or error.name,
        "code": error.code_name if isinstance(error, Problem) else Code.for_status(status),
        "request_id": request_id_of(request.environ),
    }


def _problem(app: Service, error: HTTPException) -> Response:
    described = document(app, error)
    if _for_a_browser():
        written = page(described).encode("utf-8", "backslashreplace")
        response = Response(written, error.code, mimetype="text/html")
        response.headers["Content-Security-Policy"] = POLICY
    else:
        response = Response(app.json.dumps(described), error.code, mimetype=PROBLEM_JSON)
    response.vary.add("Accept")
    return _with_headers_of(error, response)


def _gnar(app: Service, error: HTTPException) -> Response:
    name = f"{app.package.title().replace('_', '')} API Error"
    shown = _traceback(app, error)
    answer = {"error": name, "request_id": request_id_of(request.environ)}
    if shown:
        answer["traceback"] = f"{name}:\n{shown}"
    return _with_headers_of(error, Response(app.json.dumps(answer), mimetype="application/json"))


def _with_headers_of(error: HTTPException, response: Response) -> Response:
    """Keep what the error itself says: ``Allow``, ``Retry-After``, ``WWW-Authenticate``, …"""
    for name, value in error.get_headers(request.environ):
        if name.lower() != "content-type":
            response.headers.add(name, value)
    return response


def _traceback(app: Service, error: HTTPException) -> str | None:
    cause = getattr(error, "original_exception", None)
    if cause is None or app.mode != "development":
        return None
    return "".join(traceback.format_exception(cause))


def _for_a_browser() -> bool:
    """Tell whether HTML is preferred; who accepts anything gets the problem document."""
    if "html" not in request.headers.get("Accept", ""):
        return False
    return request.accept_mimetypes.best_match([PROBLEM_JSON, "application/json", "text/html"]) == (
        "text/html"
    )
