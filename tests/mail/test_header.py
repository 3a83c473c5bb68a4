"""Writing header fields."""

from __future__ import annotations

from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from buttress.mail import Mailbox
from buttress.mail.header import address_list, file_name, phrase

letters = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
texts = st.text(letters, max_size=200) | st.text(' ,;"\\<>()@=?aé', max_size=200)


def unfolded(field: str) -> str:
    """Take the breaks out of a field, and see that there are good lines only."""
    lines = field.split("\r\n")
    assert all(line.isascii() and line.strip() and len(line) < 990 for line in lines if field)
    assert all(line.startswith(" ") for line in lines[1:])
    return "".join(lines)


@given(texts)
@example("=?utf-8?q?ab?= literal")
@example("x" * 3000)
@example("a" + " " * 3000 + "b")
@example(" leading and trailing ")
def test_a_text_is_read_back(text: str) -> None:
    """A reader sees the text as it was given, and no line is too long for a server."""
    assert str(make_header(decode_header(unfolded(phrase(text, "Subject"))))) == text


@given(st.lists(texts.map(lambda text: text.strip(" ")), min_size=1, max_size=4))
@example(["=?utf-8?q?ab?= literal"])
@example(["Doe, Jöhn " * 9])
@example(['"quoted" name, with, commas ' * 5])
def test_names_are_read_back(names: list[str]) -> None:
    """A reader sees as many addresses as were given, with their names."""
    field = unfolded(address_list([Mailbox(name, "ann@a.example") for name in names]))
    read = [(str(make_header(decode_header(name))), it) for name, it in getaddresses([field])]
    assert read == [(name, "ann@a.example") for name in names]


def test_a_short_text_is_left_alone() -> None:
    """What is ASCII is readable without decoding."""
    assert phrase("Piste 7 is open", "Subject") == "Piste 7 is open"
    assert address_list([Mailbox("O'Neill Ann", "a@a.example")]) == "O'Neill Ann <a@a.example>"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a b.pdf", 'filename="a b.pdf"'),
        ('a"\\.pdf', 'filename="a\\"\\\\.pdf"'),
        ("é;.pdf", "filename*=utf-8''%C3%A9%3B.pdf"),
    ],
)
def test_a_file_name_is_quoted(name: str, written: str) -> None:
    """As RFC 2183 and 2231 have it."""
    assert file_name(name) == written
