"""Tokens as they are written."""

from __future__ import annotations

import pytest

from buttress.jwt import TokenRefused
from buttress.jwt.compact import LONGEST, read_compact, read_object, write_compact
from tests.jwt.conftest import as_json, base64

HEADER = base64(b'{"alg":"HS256"}')


def test_a_token_is_taken_apart() -> None:
    """Header, payload and signature are decoded, and what is signed is text."""
    compact = read_compact(f"{HEADER}.e30.AQID")
    assert compact == ({"alg": "HS256"}, f"{HEADER}.e30".encode(), b"{}", b"\x01\x02\x03")


def test_a_token_is_put_together() -> None:
    """What is written is what is read."""
    token = write_compact({"alg": "HS256"}, b"{}", lambda signed: signed[::-1])
    assert read_compact(token).signature == read_compact(token).signed[::-1]
    assert token.startswith(f"{HEADER}.e30.")


@pytest.mark.parametrize(
    "token", [None, b"a.b.c", 1, ["a", "b", "c"], " a.b.c", "a.b.c ", "a.b.c\n", "a.b.é"]
)
def test_what_is_no_token(token: object) -> None:
    """Other types, spaces around it and letters beyond ASCII are refused."""
    with pytest.raises(TokenRefused):
        read_compact(token)


def test_the_greatest_length() -> None:
    """A token of just that length is read, and one that is longer is not looked at."""
    payload = "A" * (LONGEST - len(HEADER) - 2)
    assert len(payload) % 4 != 1
    compact = read_compact(f"{HEADER}.{payload}.")
    assert compact.signature == b""
    with pytest.raises(TokenRefused, match="longer than 8192"):
        read_compact(f"{HEADER}.{payload}.A")


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"x"', b"null", b"true", b"", b"{", b"\xff{}"])
def test_a_part_must_be_an_object(raw: bytes) -> None:
    """Other JSON, and what is none, is refused."""
    with pytest.raises(TokenRefused):
        read_object(raw)


def test_whole_characters_may_be_escaped() -> None:
    """An escape of two halves is one character, and half of it is none."""
    assert read_object(b'{"x":"\\ud83d\\ude00"}') == {"x": "😀"}
    with pytest.raises(TokenRefused):
        read_object(b'{"x":"\\ud83d"}')


def test_the_reason_has_nothing_of_the_token() -> None:
    """What is refused is in no message, so that it is in no log."""
    for token in ("marker.marker.marker", f"{base64(as_json({'marker': 1, 'crit': []}))}.marker."):
        with pytest.raises(TokenRefused) as caught:
            read_compact(token)
        assert "marker" not in f"{caught.value!r} {caught.value.reason} {caught.value.args}"
