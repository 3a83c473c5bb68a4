"""Errors as answers: problem documents (RFC 9457), a page for browsers, and Gnar's shape."""

from __future__ import annotations

import logging
import traceback
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast

from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from buttress.errors import Code, Problem
from buttress.web.page import POLICY, page
from buttress.web.request_id import request_id_of

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.web")

PROBLEM_JSON = "application/problem+json"


class ErrorPages:
    """The error handler of last resort of one service."""

    def __init__(
        self, app: Service, style: Literal["problem", "gnar"], *, exposes: bool = False
    ) -> None:
        # The application has this as its handler: a plain reference would be a cycle.
        self._app = cast("Service", weakref.proxy(app))
        self._render = _gnar if style == "gnar" else _problem
        #: Whether tracebacks are in answers outside of development too.
        self.exposes = exposes
        #: Tried in order on an error that is no HTTP error; the first that is not ``None`` is
        #: the answer. Extensions add what their libraries raise when a server is down.
        self.translations: list[Callable[[Exception], HTTPException | None]] = []

    def __call__(self, error: Exception) -> Response:
        """Answer an HTTP error; let any other reach Flask, which logs it and asks again."""
        if not isinstance(error, HTTPException):
            return self._render(self._app, self._translated(error))
        if self._trapped(error):
            raise error
        if error.response is not None:
            return error.response  # type: ignore[return-value]  # werkzeug's sans-io class, here always its WSGI one
        return self._render(self._app, error)

    def _translated(self, error: Exception) -> HTTPException:
        for translate in self.translations:
            found = translate(error)
            if found is not None:
                return found
        raise error

    def _trapped(self, error: HTTPException) -> bool:
        """Tell whether the service asked Flask to raise this error; never the 500 of another."""
        if getattr(error, "original_exception", None) is not None:
            return False
        return self._app.trap_http_exception(error)


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
        "detail": _traceback(app, error) or _text(error.description or error.name),
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
        response = Response(_json(app, described), error.code, mimetype=PROBLEM_JSON)
    response.vary.add("Accept")
    return _with_headers_of(error, response)


def _gnar(app: Service, error: HTTPException) -> Response:
    name = f"{app.package.title().replace('_', '')} API Error"
    described = document(app, error)
    unhandled = getattr(error, "original_exception", None) is not None
    answer = {
        "error": name if unhandled else described["detail"],
        "code": described["code"],
        "request_id": described["request_id"],
    }
    if _exposes(app):
        answer["traceback"] = f"{name}:\n{_traceback(app, error) or _trace(error)}"
    return _with_headers_of(error, Response(_json(app, answer), mimetype="application/json"))


def _json(app: Service, members: dict[str, Any]) -> bytes:
    """Write a document; a member that JSON cannot say is written as text, and logged."""
    try:
        written = app.json.dumps(members)
    except Exception:  # noqa: BLE001 -- an error page must not raise, whatever its members are
        written = app.json.dumps({name: _sayable(app, name, it) for name, it in members.items()})
    # A lone surrogate becomes its escape, which is JSON too.
    return written.encode("utf-8", "backslashreplace")


def _sayable(app: Service, name: str, value: object) -> object:
    try:
        app.json.dumps(value)
    except Exception as error:  # noqa: BLE001 -- as above
        logger.warning("%s: an error answer's '%s' is no JSON: %s", app.name, name, _text(error))
        return _text(value)
    return value


def _text(value: object) -> str:
    """Write a value as text; one that cannot be written gives its type."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 -- as above
        return f"<{type(value).__name__}>"


def _with_headers_of(error: HTTPException, response: Response) -> Response:
    """Keep what the error itself says: ``Allow``, ``Retry-After``, ``WWW-Authenticate``, …"""
    for name, value in error.get_headers(request.environ):
        if name.lower() != "content-type":
            response.headers.add(name, value)
    return response


def _traceback(app: Service, error: HTTPException) -> str | None:
    cause = getattr(error, "original_exception", None)
    return _trace(cause) if cause is not None and _exposes(app) else None


def _exposes(app: Service) -> bool:
    """Tell whether answers have tracebacks, which tell an attacker what runs."""
    return app.mode == "development" or app.web.error_pages.exposes


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _for_a_browser() -> bool:
    """Tell whether HTML is preferred; who accepts anything gets the problem document."""
    if "html" not in request.headers.get("Accept", ""):
        return False
    return request.accept_mimetypes.best_match([PROBLEM_JSON, "application/json", "text/html"]) == (
        "text/html"
    )
