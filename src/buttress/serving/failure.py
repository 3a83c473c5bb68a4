"""What becomes of an application that fails, the same with every server."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from buttress.web import request_id_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("buttress.serving")

CLOSE = ("Connection", "close")
TEXT = [("Content-Type", "text/plain; charset=utf-8")]
BAD_REQUEST = b"Bad Request\n"
SERVER_ERROR = b"Internal Server Error\n"
UNAVAILABLE = b"Service Unavailable\n"
#: What an application may raise that is its own failure: anything. Signals come by another way,
#: and neither ``exit()`` nor a cancelled task ends a process with the requests of others.
FAILURES = BaseException


class BrokenOff(Exception):
    """Raised to a server in place of a failure that is in the log already."""


def log_failure(environ: WSGIEnvironment, error: BaseException) -> None:
    """Log what failed in a request that is answered with 500."""
    told = environ.get("REQUEST_METHOD"), ascii(environ.get("PATH_INFO"))
    logger.error("%s %s failed", *told, exc_info=error, extra=_extra(environ))


def log_break(environ: WSGIEnvironment, error: BaseException) -> None:
    """Log what ended a body that had begun."""
    path = ascii(environ.get("PATH_INFO"))
    logger.error("The body of %s broke off", path, exc_info=error, extra=_extra(environ))


def headers_of_failure(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """Give the headers of a 500 that no error page could write, the request's id included."""
    return [*TEXT, CLOSE, ("X-Request-Id", request_id_of(environ))]


def close_body(body: Iterable[bytes], environ: WSGIEnvironment) -> None:
    """Close a body as PEP 3333 asks for; a failure is logged, since the answer is sent."""
    close = getattr(body, "close", None)
    if close is None:
        return
    try:
        close()
    except FAILURES:
        extra = _extra(environ)
        logger.exception("An answer was sent, and closing its body failed", extra=extra)


def _extra(environ: WSGIEnvironment) -> dict[str, Any]:
    """Give the request's id under the name that it has in access records."""
    return {"rid": request_id_of(environ)}
