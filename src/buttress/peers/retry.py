"""What may be tried again, and after which pause."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

from requests import PreparedRequest, Response
from requests import exceptions as known
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

from buttress.peers.failure import PeerError, is_read_timeout

#: Methods that may be repeated without another effect, RFC 9110 9.2.2.
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
#: Answers by which a gateway says that there was none, RFC 9110 15.6.
GATEWAY = frozenset({502, 503, 504})
#: The first pause and the longest, and the longest ``Retry-After`` that is waited for, in seconds.
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_WAIT = 0.05, 1.0, 5.0

_NOT_CONNECTED = (ConnectTimeoutError, NewConnectionError, NameResolutionError)

#: Bodies that are there as a whole.
_PLAIN = (bytes, str, type(None))

Outcome = Response | known.RequestException


class Body:
    """The body of a request, which is read once more for each further attempt.

    Made before the first one, for a file is somewhere else afterwards.
    """

    def __init__(self, request: PreparedRequest) -> None:
        self._body: Any = request.body
        self._start = _position(request.body)

    @property
    def repeatable(self) -> bool:
        """Tell whether it can be read again."""
        return isinstance(self._body, _PLAIN) or self._start is not None

    def rewind(self) -> None:
        """Go back to where it began."""
        if self._start is not None:
            self._body.seek(self._start)


def may_repeat(method: str | None, body: Body, outcome: Outcome) -> bool:
    """Tell whether a call may be tried again after this.

    That is so where nothing was sent, and else for idempotent methods. Silence is not met with
    another call: whoever is too slow has enough to do.
    """
    if isinstance(outcome, known.SSLError | PeerError):
        return False
    if isinstance(outcome, known.RequestException):
        if never_sent(outcome):
            return True
        if is_read_timeout(outcome):
            return False
    elif outcome.status_code not in GATEWAY:
        return False
    return method in IDEMPOTENT and body.repeatable


def never_sent(error: known.RequestException) -> bool:
    """Tell whether the connection was not even made."""
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else None
    if isinstance(reason, ProxyError):
        # urllib3 gives it also where a proxy hangs up that was sent the whole request.
        reason = reason.original_error
    return isinstance(reason, _NOT_CONNECTED)


def wait_before(outcome: Outcome, pause: float) -> float | None:
    """Give the seconds to wait: the pause, or longer where ``Retry-After`` asks for it.

    ``None`` where it asks for more than anybody would wait.
    """
    if not isinstance(outcome, Response):
        return pause
    wait = max(pause, _retry_after(outcome.headers.get("Retry-After", "")))
    return None if wait > LONGEST_WAIT else wait


def _retry_after(text: str) -> float:
    """Read the seconds of RFC 9110 10.2.3, or its date; 0 for anything else."""
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0


def _position(body: Any) -> int | None:
    try:
        return int(body.tell()) if body.seekable() else None
    except (AttributeError, OSError, TypeError, ValueError):
        return None
