"""The lines of one ini file."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.config.inifile import parse


def parsed(tmp_path: Path, text: str | bytes) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
    path = tmp_path / "a.ini"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    lines, problems = parse(path)
    said = {s: {k: one.says() for k, one in options.items()} for s, options in lines.items()}
    return said, [problem.rpartition("a.ini")[2] for problem in problems]


@pytest.mark.parametrize("line", ["key = v", "key=v", "key: v", "KEY :v", "  key = v"])
def test_an_option_is_a_key_and_a_value(tmp_path, line):
    """Keys are lower-cased and separated by an equals sign or a colon."""
    assert parsed(tmp_path, f"[s]\n{line}\n") == ({"s": {"key": ["v"]}}, [])


def test_the_first_separator_counts(tmp_path):
    """A value may hold either separator."""
    found, _ = parsed(tmp_path, "[s]\na = b=c:d\ne: f=g\n")
    assert found == {"s": {"a": ["b=c:d"], "e": ["f=g"]}}


def test_indented_lines_continue_a_value(tmp_path):
    """Lines that are indented more than their option belong to it; others do not."""
    text = "[s]\n  a =\n    1\n\n    # no\n    2\n  b = 3\n"
    assert parsed(tmp_path, text)[0] == {"s": {"a": ["", "1", "2"], "b": ["3"]}}


def test_comments_and_empty_lines_are_skipped(tmp_path):
    """A hash or a semicolon begins a comment line, indented or not."""
    text = "# a\n; b\n\n[s] ; c\n  # d\na = 1\n"
    assert parsed(tmp_path, text) == ({"s": {"a": ["1"]}}, [])


def test_a_section_that_is_written_twice_is_one(tmp_path):
    """Options of both places come together, in order."""
    text = "[s]\na = 1\n[t]\n[s]\nb = 2\n"
    assert parsed(tmp_path, text) == ({"s": {"a": ["1"], "b": ["2"]}, "t": {}}, [])


def test_a_key_that_is_written_twice_must_say_the_same(tmp_path):
    """Two values of one key are a mistake, the same value twice is not."""
    assert parsed(tmp_path, "[s]\na = 1\na = 1\n")[1] == []
    assert parsed(tmp_path, "[s]\na = 1\nb = 2\na = 3\n")[1] == [
        ":4: a differs from line 2; keep one of them"
    ]


def test_the_values_of_a_double_key_are_not_shown(tmp_path):
    """A mistake about a value that may be secret does not show it."""
    _, problems = parsed(tmp_path, "[s]\nsecret = tulip\nsecret =\n  rose\n")
    assert "tulip" not in problems[0]
    assert "rose" not in problems[0]


def test_every_mistake_is_told_with_its_line(tmp_path):
    """Lines that are no part of the grammar are all reported."""
    text = "a = 1\nword\n[s]\n = 2\n[]\n[t\n"
    assert parsed(tmp_path, text)[1] == [
        ":1: a stands before any [section]",
        ":2: this is not a [section], a key = value or a comment",
        ":4: this is not a [section], a key = value or a comment",
        ":5: a section is written [name]",
        ":6: a section is written [name]",
    ]


def test_a_byte_order_mark_is_accepted(tmp_path):
    """Some editors begin a file with one."""
    assert parsed(tmp_path, b"\xef\xbb\xbf[s]\na = 1\n") == ({"s": {"a": ["1"]}}, [])


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_every_kind_of_line_end_is_accepted(tmp_path, end):
    """Files from other systems read the same."""
    assert parsed(tmp_path, f"[s]{end}a = 1{end}") == ({"s": {"a": ["1"]}}, [])


def test_only_line_ends_end_a_line(tmp_path):
    """A value may hold characters that other tools take for line ends."""
    assert parsed(tmp_path, "[s]\na = x\u2028y\x0cz\n")[0] == {"s": {"a": ["x\u2028y\x0cz"]}}


def test_a_file_that_is_not_utf_8_is_refused_with_the_offset(tmp_path):
    """The error names the file and the byte."""
    assert parsed(tmp_path, b"[s]\na = \xff\n") == (
        {},
        [" is not UTF-8: the byte at offset 8 does not belong there"],
    )


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    """A folder is not a file."""
    (problem,) = parse(tmp_path)[1]
    assert problem.endswith(" cannot be read: Is a directory")
