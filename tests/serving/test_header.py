"""Status and headers of answers."""

from __future__ import annotations

import pytest

from buttress.serving.header import (
    check_header,
    check_headers,
    check_status,
    known_headers,
    without,
)


def test_known_headers() -> None:
    """A header that was checked need not be looked at again."""
    header = ("X-Slope", "red")
    check_header(header)
    assert header in known_headers
    assert ("X-Slope", "black") not in known_headers


@pytest.mark.parametrize(
    "header",
    [
        ("Set-Cookie", "session=secret"),
        ("X-Request-ID", "r-1"),
        ("Content-Length", "5"),
        ("Connection", "close"),
        ("X-Town", "Zürich"),
        ("X-Long", "a" * 257),
    ],
)
def test_headers_that_are_not_remembered(header: tuple[str, str]) -> None:
    """What is secret, of one answer, the connection's, not ASCII, or long is not remembered."""
    check_headers([header])
    assert header not in known_headers


@pytest.mark.parametrize(
    "header", [("X-Bad", "1\n"), ("X-Bad", "10 €"), ("X Bad", "1"), ("content-length", "5_0")]
)
def test_invalid_headers(header: tuple[str, str]) -> None:
    """An invalid header is refused each time."""
    for _ in range(2):
        with pytest.raises(ValueError, match="response header"):
            check_headers([("X-Fine", "1"), header])


@pytest.mark.parametrize("value", ["a\tb", "", "\x7f", "Zürich", "\xff"])
def test_unusual_values(value: str) -> None:
    """Tabs, other control characters and Latin-1 are no reason to refuse an answer."""
    assert check_header(("X-Fine", value)) == "x-fine"


def test_without() -> None:
    """Headers are left out by their name, however it is written."""
    assert without([("A", "1"), ("b", "2"), ("a", "3")], "a") == [("b", "2")]


@pytest.mark.parametrize("status", ["99 Low", "100 Continue", "1000 High", "abc", "", "٢٠٠ OK"])
def test_status_that_is_none_is_refused(status: str) -> None:
    """A status that no server could send is an error."""
    with pytest.raises(ValueError, match="is no status of an answer"):
        check_status(status)
