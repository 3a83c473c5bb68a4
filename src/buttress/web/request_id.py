"""The id of a request: in its answer, its log lines, and the calls that it causes."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from flask import has_request_context, request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HEADER = "X-Request-Id"
KEY = "buttress.request_id"

_well_formed = re.compile(r"[A-Za-z0-9._-]{1,128}").fullmatch


def request_id_of(environ: WSGIEnvironment) -> str:
    """Give the id of a request: the one in ``X-Request-Id`` when well-formed, else a new one.

    Well-formed is 1 to 128 letters, digits, dots, underscores and hyphens; a new one is 32
    hexadecimal digits.
    """
    known: str | None = environ.get(KEY)
    if known is None:
        given = environ.get("HTTP_X_REQUEST_ID")
        known = given if given and _well_formed(given) else os.urandom(16).hex()
        environ[KEY] = known
    return known


def current_request_id() -> str | None:
    """Give the id of the request that is being answered; ``None`` outside of one."""
    return request_id_of(request.environ) if has_request_context() else None
