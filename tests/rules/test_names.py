"""Rule 3: a file is the noun that it defines."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import PurePosixPath

import pytest

from tests.rules.source import Source, library, our_code, suite
from tests.rules.verdict import expect_none

NO_NOUNS = frozenset({"utils", "util", "helpers", "helper", "common", "base", "misc"})


def no_nouns(found: Iterable[Source]) -> list[str]:
    """Name the files and folders whose name says nothing."""
    return [
        f"{it.path}: name it after what it defines, not {part!r}"
        for it in found
        for part in PurePosixPath(it.path).with_suffix("").parts
        if part in NO_NOUNS
    ]


def standard_names(found: Iterable[Source]) -> list[str]:
    """Name the modules at the top of a package that are named like one of Python's own."""
    return [
        f"{it.path}: named like Python's own module {top!r}; choose another noun"
        for it in found
        for top in it.name.split(".")[1:2]
        if top in sys.stdlib_module_names
    ]


def test_files_are_nouns() -> None:
    """No file or folder is called utils, helpers, common or base."""
    expect_none(no_nouns([*our_code(), *suite()]))


def test_no_standard_names() -> None:
    """No module at the top of a package is named like one of the standard library."""
    expect_none(standard_names(library()))


@pytest.mark.parametrize("path", ["src/buttress/utils.py", "src/buttress/common/x.py"])
def test_rule_sees_a_name_that_says_nothing(path: str) -> None:
    """The rule looks at files and folders."""
    assert len(no_nouns([Source(path, "")])) == 1


def test_rule_sees_a_standard_name() -> None:
    """The rule looks at the top of the package only."""
    assert len(standard_names([Source("x.py", "", "buttress.logging.json")])) == 1
    assert standard_names([Source("x.py", "", "buttress.log.json")]) == []
