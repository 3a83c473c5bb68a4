"""What a call raises that got no answer: errors of requests that are answers of ours, too."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from requests import PreparedRequest, Request
from requests import exceptions as known

from buttress.errors import Code, Problem, Unavailable

#: What clients are told; names and addresses of other services are not their affair.
DETAIL = "A service that this one needs does not answer as it should."


_Request = Request | PreparedRequest | None


class PeerError(Problem, known.RequestException):
    """Raised when a call got no usable answer; unhandled, it answers 502, 503 or 504.

    It has the type of the requests error that it stands for as well. ``peer`` is the name of the
    service or the host, ``reason`` is for the log: neither reaches the client.
    """

    status = Code.BAD_GATEWAY
    # Werkzeug's and requests' attributes of this name are both None here.
    response: Any

    def __init__(self, peer: str, reason: str, request: _Request = None) -> None:
        super().__init__(self.status, DETAIL)
        self._tell(peer, reason, request)

    def _tell(self, peer: str, reason: str, request: _Request) -> None:
        self.peer, self.reason, self.request = peer, reason, request

    def __str__(self) -> str:
        return f"{self.peer}: {self.reason}"


class PeerTimeout(PeerError, known.Timeout):
    """Raised when a peer does not answer in time; unhandled, it answers 504."""

    status = Code.GATEWAY_TIMEOUT


class PeerUnavailable(PeerError, Unavailable, known.ConnectionError):
    """Raised when a peer cannot be reached or is left alone; unhandled, it answers 503."""

    def __init__(
        self,
        peer: str,
        reason: str,
        request: _Request = None,
        *,
        retry_after: float = 5,
    ) -> None:
        Unavailable.__init__(self, DETAIL, retry_after=max(1, math.ceil(retry_after)))
        self._tell(peer, reason, request)


class BrokenAnswer(known.RequestException):
    """Raised when the headers of an answer mean nothing."""


#: What says something of the other side, as opposed to of the call.
TRANSLATED = (
    BrokenAnswer,
    known.ConnectionError,
    known.Timeout,
    known.ChunkedEncodingError,
    known.ContentDecodingError,
    known.TooManyRedirects,
)


def translated(peer: str, error: known.RequestException) -> PeerError:
    """Make an error of requests one that is an answer as well, and keeps its type."""
    if isinstance(error, PeerError):
        return error
    kind = _with_type(_kind(error), type(error))
    return kind(peer, reason_of(error), error.request)


def reason_of(error: BaseException) -> str:
    """Say what lies at the bottom of an error, without the URL that was called."""
    *_, root = _chain(error)
    return str(root) or type(root).__name__


def is_read_timeout(error: BaseException) -> bool:
    """Tell whether the other side was silent for too long after it was connected."""
    return isinstance(error, known.ReadTimeout) or any(
        type(each).__name__ == "ReadTimeoutError" for each in _chain(error)
    )


def _kind(error: known.RequestException) -> type[PeerError]:
    if isinstance(error, known.Timeout) or is_read_timeout(error):
        return PeerTimeout
    broken = isinstance(error, known.SSLError) or not isinstance(error, known.ConnectionError)
    return PeerError if broken else PeerUnavailable


def _with_type(kind: type[PeerError], original: type[known.RequestException]) -> type[PeerError]:
    if issubclass(kind, original):
        return kind
    if (kind, original) not in _combined:
        described = {"__doc__": kind.__doc__, "__module__": __name__}
        _combined[kind, original] = type(f"Peer{original.__name__}", (kind, original), described)
    return _combined[kind, original]


_combined: dict[tuple[type, type], type[PeerError]] = {}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what it wraps; its ``__context__`` may be an affair of the caller's."""
    seen: Any = error
    while seen is not None:
        yield seen
        inner = (getattr(seen, "reason", None), seen.__cause__, *reversed(seen.args))
        seen = next((each for each in inner if isinstance(each, BaseException)), None)
