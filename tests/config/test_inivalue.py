"""Values of an ini file."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.config.inivalue import read, typed

HERE = "/etc/shop"


def value(raw: str, **variables: str) -> object:
    return read(raw, HERE, variables).value


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("12", 12),
        ("-12", -12),
        ("007", 7),
        ("1" * 60, int("1" * 60)),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("1.5e3", 1500.0),
        ("true", True),
        ("TRUE", True),
        ("False", False),
    ],
)
def test_numbers_and_booleans_are_typed(raw, expected):
    """A value that looks like a number or a boolean is one."""
    assert (type(value(raw)), value(raw)) == (type(expected), expected)


@pytest.mark.parametrize(
    "raw",
    ["yes", "on", "null", "a,b", "1.2.3", "+5", "1e5", ".5", "5.", "1_000", "nan", "inf", "--1",
     "٣", "https://h/x#y", "it's 5\" wide", "%(asctime)s %(message)s", "$HOME", "1.0e999"],
)  # fmt: skip
def test_everything_else_is_a_string(raw):
    """What is no plain number or boolean stays as it is written."""
    assert value(raw) == raw


def test_an_integer_beyond_what_python_reads_is_a_string():
    """A file cannot make the parser fail with digits."""
    assert value("9" * 5000) == "9" * 5000


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('"12"', "12"),
        ('"true"', "true"),
        ('""', ""),
        ('" a "', " a "),
        (r'"a \"b\" c"', 'a "b" c'),
        (r'"C:\\dir\x"', r"C:\dir\x"),
        ('"a ; b # c" ; comment', "a ; b # c"),
        ('"${HOME} %(here)s"', "${HOME} %(here)s"),
    ],
)
def test_quotes_make_a_string_of_anything(raw, expected):
    """What is quoted is a string as it stands, with two escapes."""
    assert value(raw) == expected


@pytest.mark.parametrize("raw", ['"a', '"a" b', r'"a\"', '"a";b', '"'])
def test_a_quote_that_does_not_close_is_refused(raw):
    """A value that begins with a quote ends with one."""
    with pytest.raises(ValueError, match='what begins with " must end with one'):
        value(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("5 ; five", 5), ("a # b", "a"), ("a;b#c", "a;b#c"), (" ; nothing", ""), ("#fff", "#fff")],
)
def test_a_comment_begins_after_a_space(raw, expected):
    """A semicolon or hash after whitespace begins a comment, elsewhere it does not."""
    assert value(raw) == expected


def test_variables_are_replaced_any_number_of_times():
    """Several variables may make up one value."""
    assert value("${A}/${B}/${A}", A="x", B="y") == "x/y/x"


def test_a_value_that_is_a_variable_is_typed():
    """What a variable brings is typed as if it were written there."""
    assert value("${N}", N="7") == 7
    assert value("${N}", N="TRUE") is True


def test_a_variable_brings_text_and_no_grammar():
    """Comments, quotes and variables inside a variable mean nothing."""
    assert value("${A}", A='"x" ; ${B} %(here)s') == '"x" ; ${B} %(here)s'


def test_a_variable_that_is_not_set_is_named():
    """The error tells which variable is missing."""
    with pytest.raises(ValueError, match="the environment variable NOPE is not set"):
        value("${NOPE}")


def test_the_folder_of_the_file_is_known():
    """The place of the file may be part of a value."""
    assert value("sqlite:///%(here)s/a.db") == "sqlite:////etc/shop/a.db"


def test_the_variables_of_a_value_are_told():
    """A reading says which variables went into it."""
    assert read("${A}${B}", HERE, {"A": "1", "B": "2"}).variables == ("A", "B")


def written(plain: object) -> str:
    if isinstance(plain, bool):
        return str(plain).lower()
    if isinstance(plain, str):
        return '"' + re.sub(r'(["\\])', r"\\\1", plain) + '"'
    return format(plain, "f") if isinstance(plain, float) else str(plain)


@given(
    st.booleans() | st.integers() | st.text() | st.integers(-(10**9), 10**9).map(lambda n: n / 64)
)
def test_what_is_written_is_read_back(plain):
    """Every scalar that is written in the grammar comes back with its type."""
    result = value(written(plain))
    assert (type(result), result) == (type(plain), plain)


@given(st.text())
def test_any_text_is_typed_or_kept(text):
    """No text makes typing fail, and a text that is not typed is unchanged."""
    result = typed(text)
    assert isinstance(result, (int, float)) or result == text
