"""The id of a request: in its answer, its log lines, and the calls that it causes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from buttress.engine.flaskcompat import current_environ

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HEADER = "X-Request-Id"
KEY = "buttress.request_id"
#: New ids are made this many at a time.
BATCH = 256

_well_formed = re.compile(r"[A-Za-z0-9._-]{1,128}").fullmatch


def request_id_of(environ: WSGIEnvironment) -> str:
    """Give the id of a request: the one in ``X-Request-Id`` when well-formed, else a new one.

    Well-formed is 1 to 128 letters, digits, dots, underscores and hyphens; a new one is 32
    hexadecimal digits.
    """
    known: str | None = environ.get(KEY)
    if known is None:
        given = environ.get("HTTP_X_REQUEST_ID")
        known = given if given and _well_formed(given) else new_request_id()
        environ[KEY] = known
    return known


def current_request_id() -> str | None:
    """Give the id of the request that is being answered, or of the work that is being done.

    ``None`` outside of both.
    """
    environ = current_environ()
    return _correlation.get() if environ is None else request_id_of(environ)


@contextmanager
def correlated(request_id: str | None) -> Iterator[str]:
    """Give the work of this block, outside of a request, an id: this one, or a new one.

    Its log lines and the calls that it makes have it too. One that is not well-formed is replaced.
    """
    known = request_id if request_id and _well_formed(request_id) else new_request_id()
    token = _correlation.set(known)
    try:
        yield known
    finally:
        _correlation.reset(token)


def new_request_id() -> str:
    """Make an id that nobody can guess: 128 random bits of the system, fetched in batches."""
    try:
        return _ids.pop()
    except IndexError:
        digits = os.urandom(16 * BATCH).hex()
        first, *others = [digits[start : start + 32] for start in range(0, len(digits), 32)]
        _ids.extend(others)
        return first


_correlation: ContextVar[str | None] = ContextVar("buttress_correlation", default=None)
_ids: list[str] = []
# Parent and child would go on to give the same ids.
os.register_at_fork(after_in_child=_ids.clear)
