from __future__ import annotations

import pickle

import pytest
from requests import exceptions as known

from buttress import Problem, Unavailable
from buttress.peers import PeerError, PeerTimeout, PeerUnavailable
from buttress.peers.failure import reason_of, translated


@pytest.mark.parametrize(
    ("original", "kind", "status"),
    [
        (known.ConnectionError, PeerUnavailable, 503),
        (known.ProxyError, PeerUnavailable, 503),
        (known.ConnectTimeout, PeerTimeout, 504),
        (known.ReadTimeout, PeerTimeout, 504),
        (known.Timeout, PeerTimeout, 504),
        (known.SSLError, PeerError, 502),
        (known.ChunkedEncodingError, PeerError, 502),
        (known.ContentDecodingError, PeerError, 502),
        (known.TooManyRedirects, PeerError, 502),
    ],
)
def test_kinds(original: type[known.RequestException], kind: type[PeerError], status: int) -> None:
    """Every error keeps its type of requests and is an answer of ours."""
    error = translated("piste", original("why"))
    assert (isinstance(error, original), isinstance(error, kind)) == (True, True)
    assert isinstance(error, Problem)
    assert (error.code, error.peer, str(error)) == (status, "piste", "piste: why")


def test_unavailable_is_one() -> None:
    """A peer that cannot be reached is an `Unavailable` and says when to come back."""
    error = PeerUnavailable("piste", "why", retry_after=2.1)
    assert isinstance(error, Unavailable)
    assert error.headers == {"Retry-After": "3"}


def test_client_is_told_nothing() -> None:
    """The detail for the client names neither the peer nor the reason."""
    error = PeerUnavailable("piste", "10.0.0.1 refused")
    assert error.description == "A service that this one needs does not answer as it should."


def test_translated_once() -> None:
    """An error that is ours already stays as it is."""
    error = PeerUnavailable("piste", "why")
    assert translated("other", error) is error


def test_reason_is_at_the_bottom() -> None:
    """The reason is the innermost error; an error that the caller was handling is none."""
    inner = ConnectionRefusedError(111, "Connection refused")
    try:
        raise KeyError("of the caller")
    except KeyError:
        error = known.ConnectionError(OSError("Aborted", inner))
    assert reason_of(error) == "[Errno 111] Connection refused"


def test_reason_without_text() -> None:
    """An error that says nothing is named by its type."""
    assert reason_of(known.ConnectionError(TimeoutError())) == "TimeoutError"


@pytest.mark.parametrize("kind", [PeerUnavailable, PeerTimeout, PeerError])
def test_pickle(kind: type[PeerError]) -> None:
    """An error can go to another process."""
    again = pickle.loads(pickle.dumps(kind("piste", "why")))  # noqa: S301  # our own bytes
    assert (type(again), str(again), again.code) == (kind, "piste: why", kind("a", "b").code)
