"""The deadline of a request: how long somebody still waits for its answer."""

from __future__ import annotations

import re
from time import perf_counter
from typing import TYPE_CHECKING

from buttress.engine.flaskcompat import current_environ, cv_request
from buttress.lifecycle import Deadline
from buttress.web.settings import LONGEST_DEADLINE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from buttress.web.settings import WebSettings

#: Where the edge notes when a request arrived, by `time.perf_counter`.
BEGAN = "buttress.began"
KEY = "buttress.deadline"

_well_formed = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,9})?").fullmatch


class Deadlines:
    """Find the deadlines of one service's requests; nothing is done before somebody asks."""

    def __init__(self, settings: WebSettings) -> None:
        self._limit = settings.request_deadline
        header = settings.request_deadline_header
        self._variable = f"HTTP_{header.upper().replace('-', '_')}" if header else None

    def of(self, environ: WSGIEnvironment) -> Deadline | None:
        """Give the deadline of a request, counted from its arrival; the same one each time.

        ``None`` where neither REQUEST_DEADLINE nor the trusted header sets one. A request that
        came past the edge counts from the first time that this is asked.
        """
        if KEY not in environ:
            seconds = self._seconds(environ)
            environ[KEY] = None if seconds is None else Deadline(seconds - _spent(environ))
        found: Deadline | None = environ[KEY]
        return found

    def _seconds(self, environ: WSGIEnvironment) -> float | None:
        asked = seconds_of(environ.get(self._variable, "")) if self._variable else None
        known = [seconds for seconds in (self._limit, asked) if seconds is not None]
        return min(known, default=None)


def current_deadline() -> Deadline | None:
    """Give the deadline of the request that is being answered.

    ``None`` outside of one, and where nothing sets one.
    """
    context = cv_request.get(None)
    if context is None:
        return None
    web = context.app.extensions.get("buttress", {}).get("web")
    found: Deadline | None = web.deadline_of(current_environ()) if web is not None else None
    return found


def seconds_of(text: str) -> float | None:
    """Read the seconds of a header: a decimal number from 0 to a day, else ``None``.

    No sign, exponent, infinity or list is one; nothing but the digits 0 to 9 is a digit.
    """
    seconds = float(text) if _well_formed(text) else None
    return None if seconds is None or seconds > LONGEST_DEADLINE else seconds


def _spent(environ: WSGIEnvironment) -> float:
    now = perf_counter()
    began: float = environ.get(BEGAN, now)
    return now - began
