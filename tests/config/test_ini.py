"""The ini grammar across files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.config import ini


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """Make a fresh folder the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def read(name: str, **variables: str) -> dict[str, dict[str, object]]:
    entries, problems = ini.read(Path(name), variables)
    assert problems == []
    return {s: {k: e.value for k, e in options.items()} for s, options in entries.items()}


def problems(name: str) -> tuple[str, ...]:
    return tuple(ini.read(Path(name), {})[1])


def test_more_than_one_line_is_a_list_typed_line_by_line():
    """Each line of a list is typed by itself, and empty lines are dropped."""
    write("a.ini", '[s]\na =\n  1\n\n  b ; c\n  "2"\n  ""\n  ; no\n  true\nb = x\n  y\n')
    assert read("a.ini") == {"s": {"a": [1, "b", "2", "", True], "b": ["x", "y"]}}


def test_one_line_below_is_a_list_of_one():
    """A value that stands below its key is a list."""
    write("a.ini", "[s]\ncache_servers =\n    127.0.0.1:11211\nempty =\n")
    assert read("a.ini") == {"s": {"cache_servers": ["127.0.0.1:11211"], "empty": ""}}


def test_variables_and_the_folder_work_in_lists(tmp_path):
    """Replacement happens in every line of a list."""
    write("a.ini", "[s]\na =\n  %(here)s/x\n  ${A}${A}\n")
    assert read("a.ini", A="1") == {"s": {"a": [f"{tmp_path}/x", 11]}}


def test_an_entry_knows_its_line_its_text_and_its_variables():
    """What is needed for errors and secrets is kept."""
    write("a.ini", "[s]\n\na = ${A}\nb =\n  1\n  02\n")
    entries = ini.read(Path("a.ini"), {"A": "007"})[0]["s"]
    assert (entries["a"].origin, entries["a"].text) == ("a.ini:3", "007")
    assert entries["a"].variables == ("A",)
    assert (entries["b"].origin, entries["b"].text) == ("a.ini:4", ("1", "02"))


def test_every_value_that_cannot_be_read_is_told_with_its_line():
    """A missing variable and an open quote are reported together."""
    write("a.ini", '[s]\na = ${NOPE}\nb =\n  1\n  "x\n')
    assert problems("a.ini") == (
        "a.ini:2: [s] a: the environment variable NOPE is not set",
        'a.ini:5: [s] b: what begins with " must end with one; write a quote inside as \\"',
    )


def test_what_can_be_read_is_there_beside_the_mistakes():
    """One bad value does not hide the others, whose mistakes can then be told as well."""
    write("a.ini", "[s]\na = ${NOPE}\nb = 2\n")
    entries, problems = ini.read(Path("a.ini"), {})
    assert (list(entries["s"]), len(problems)) == (["b"], 1)


def test_what_a_file_extends_is_added_and_never_overrides():
    """Sections and options of the other file come after one's own."""
    write("a.ini", "[DEFAULT]\nextends = b.ini\n[s]\na = 1\n")
    write("b.ini", "[t]\nc = 3\n[s]\na = 9\nb = 2\n")
    assert read("a.ini") == {"s": {"a": 1, "b": 2}, "t": {"c": 3}}


def test_of_several_extended_files_the_first_wins():
    """The order of the list is the order of strength."""
    write("a.ini", "[DEFAULT]\nextends = b.ini\n  c.ini\n")
    write("b.ini", "[s]\na = b\n")
    write("c.ini", "[s]\na = c\nb = c\n")
    assert read("a.ini") == {"s": {"a": "b", "b": "c"}}


def test_extends_is_recursive_and_relative_to_the_file_that_says_it():
    """A file in another folder extends its own neighbour."""
    write("a.ini", "[DEFAULT]\nextends = etc/b.ini\n")
    write("etc/b.ini", "[DEFAULT]\nextends = c.ini\n[s]\na = %(here)s\n")
    write("etc/c.ini", "[s]\na = no\nb = %(here)s\n")
    assert {Path(str(v)).name for v in read("a.ini")["s"].values()} == {"etc"}


def test_a_file_may_be_extended_along_two_ways():
    """Two files that share a third are no circle."""
    write("a.ini", "[DEFAULT]\nextends = b.ini\n  c.ini\n")
    write("b.ini", "[DEFAULT]\nextends = d.ini\n")
    write("c.ini", "[DEFAULT]\nextends = d.ini\n")
    write("d.ini", "[s]\na = 1\n")
    assert read("a.ini") == {"s": {"a": 1}}


def test_a_value_that_is_overridden_need_not_be_readable():
    """A variable that only an overridden value uses may be missing."""
    write("a.ini", "[DEFAULT]\nextends = b.ini\n[s]\na = 1\n")
    write("b.ini", "[s]\na = ${NOPE}\n")
    assert read("a.ini") == {"s": {"a": 1}}


def test_a_variable_may_name_the_extended_file():
    """The value of extends is read like any other."""
    write("a.ini", "[DEFAULT]\nextends = %(here)s/${WHICH}.ini\n")
    write("b.ini", "[s]\na = 1\n")
    assert read("a.ini", WHICH="b") == {"s": {"a": 1}}


def test_defaults_apply_to_the_sections_of_their_own_file_only():
    """What an extended file has in DEFAULT does not leak, and extends is no option."""
    write("a.ini", "[DEFAULT]\nextends = b.ini\nown = 1\n[s]\na = 1\n[host:x]\ns.a = 2\n")
    write("b.ini", "[DEFAULT]\nleak = 1\n[s]\nb = 2\n[t]\nc = 3\n")
    assert read("a.ini") == {
        "s": {"a": 1, "own": 1, "b": 2},
        "host:x": {"s.a": 2},
        "t": {"c": 3},
    }


def test_a_circle_is_told_with_its_chain():
    """The error shows the way round."""
    write("a.ini", "[DEFAULT]\nextends = b.ini\n")
    write("b.ini", "[DEFAULT]\n\nextends = c.ini\n")
    write("c.ini", "[DEFAULT]\nextends = b.ini\n")
    assert problems("a.ini") == ("c.ini:2: extends goes round in a circle: b.ini → c.ini → b.ini",)


def test_a_file_that_extends_itself_is_a_circle():
    """The shortest circle is found as well."""
    write("a.ini", "[DEFAULT]\nextends = ./a.ini\n")
    assert problems("a.ini") == ("a.ini:2: extends goes round in a circle: a.ini → a.ini",)


def test_every_missing_extended_file_is_told():
    """The line that names a missing file is reported."""
    write("a.ini", "[DEFAULT]\nextends = b.ini\n  etc/c.ini\n")
    assert problems("a.ini") == (
        "a.ini:2: extends b.ini, but there is no file b.ini",
        "a.ini:2: extends etc/c.ini, but there is no file etc/c.ini",
    )


def test_mistakes_of_an_extended_file_are_told():
    """A file that is extended is read as strictly."""
    write("a.ini", "[DEFAULT]\nextends = b.ini\n")
    write("b.ini", "oops\n")
    assert problems("a.ini") == ("b.ini:1: this is not a [section], a key = value or a comment",)


LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))
SCALARS = st.booleans() | st.integers() | LINES


def written(plain: object) -> str:
    if isinstance(plain, str):
        return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(plain)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(SCALARS, min_size=1))
def test_a_list_that_is_written_is_read_back(items):
    """Every list of scalars comes back from a file, each item with its type."""
    Path("a.ini").write_bytes(
        "\n  ".join(["[s]\na =", *map(written, items)]).encode(),
    )
    result = read("a.ini")["s"]["a"]
    assert [(type(one), one) for one in result] == [(type(one), one) for one in items]
