from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from buttress.peers.retry import LONGEST_WAIT, Body, wait_before


def answer(retry_after: str) -> requests.Response:
    it = requests.Response()
    it.status_code = 503
    it.headers["Retry-After"] = retry_after
    return it


def body(data: Any) -> Body:
    return Body(requests.Request("PUT", "http://a/", data=data).prepare())


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "٣", "0", "Mon, 99 Foo", "1e9"])
def test_no_retry_after(text: str) -> None:
    """What is no number and no date is passed over; the pause stays."""
    assert wait_before(answer(text), 0.1) == 0.1


def test_longer_one_counts() -> None:
    """The pause and ``Retry-After`` both are waited for."""
    assert [wait_before(answer("1"), pause) for pause in (0.1, 2)] == [1, 2]


def test_date() -> None:
    """``Retry-After`` may be a date; one that has passed asks for nothing."""
    later = wait_before(answer(in_seconds(4)), 0.1)
    assert later is not None
    assert 2 < later <= 4
    assert wait_before(answer(in_seconds(-99)), 0.1) == 0.1


@pytest.mark.parametrize("text", ["6", "9" * 400, in_seconds(3600)], ids=["6", "huge", "date"])
def test_too_long(text: str) -> None:
    """More than the longest wait is none at all."""
    assert wait_before(answer(text), LONGEST_WAIT) is None


class Pipe(io.BytesIO):
    """A file that cannot go back."""

    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, True),
        (b"lift", True),
        ("lift", True),
        ({"lift": "1"}, True),
        (io.BytesIO(b"lift"), True),
        (io.StringIO("lift"), True),
        (Pipe(b"lift"), False),
        (iter([b"lift"]), False),
    ],
)
def test_repeatable_bodies(data: Any, expected: bool) -> None:
    """A body can be sent again when it is there as a whole, or is a file that goes back."""
    assert body(data).repeatable is expected
