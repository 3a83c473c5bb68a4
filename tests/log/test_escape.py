from __future__ import annotations

import json
import unicodedata

import pytest

from buttress.log.escape import escape, escape_json, indent
from tests.corpora import corpus


def strings() -> list[str]:
    """Read strings that are known to make trouble."""
    found: list[str] = json.loads(corpus("naughty-strings.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é ✓", "plain é ✓"),
        ("in\r\nout", "in\\r\\nout"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u2028b\u0085c", "a\\u2028b\\x85c"),
        ("abc\u202edef", "abc\\u202edef"),
        ("\ud800", "\\ud800"),
    ],
)
def test_escape(text: str, expected: str) -> None:
    """Whatever ends a line, steers a terminal or turns the direction of text is written out."""
    assert escape(text) == expected


def test_naughty_strings_stay_in_their_line() -> None:
    """No known naughty string brings a control character or a second line."""
    for text in strings():
        safe = escape(text)
        assert len(f"{safe}.".splitlines()) == 1
        assert not any(unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Cs") for sign in safe)


def test_json_means_the_same() -> None:
    """A line of JSON means the same after the escape, and is one line."""
    for text in [*strings(), "\x7f", "\x7f\x85\u2028\u2029\u202e"]:
        line = escape_json(json.dumps(text, ensure_ascii=False))
        assert json.loads(line) == text
        assert len(line.splitlines()) == 1
        assert not any(unicodedata.category(sign) == "Cc" for sign in line)


def test_indent_moves_every_line() -> None:
    """Each line of a traceback is moved to the right and escaped."""
    assert indent("one\ntwo\r\x1b[1m\n") == "    one\n    two\\r\\x1b[1m"
