"""Rule 1: functions and files are small."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median, quantiles

import pytest

from tests.rules.source import Source, body_length, functions, our_code, suite
from tests.rules.verdict import expect_none

FUNCTION_MEDIAN, FUNCTION_MOST, FUNCTION_LIMIT = 8, 25, 60
FILE_MEDIAN, FILE_LIMIT = 150, 600
# Contract suites hold one statement after the other and may be long.
EXEMPT_FILES = ("src/buttress/testing/contracts/",)


def lengths(found: Iterable[Source]) -> list[tuple[str, int]]:
    """Give place and length of every function body."""
    return [(it.place, body_length(it.node)) for it in functions(found)]


def too_long_functions(found: Iterable[Source]) -> list[str]:
    """Name the functions whose body is over the limit."""
    return [
        f"{place}: {length} lines, at most {FUNCTION_LIMIT}; split it"
        for place, length in lengths(found)
        if length > FUNCTION_LIMIT
    ]


def too_long_files(found: Iterable[Source]) -> list[str]:
    """Name the files that are over the limit."""
    counted = [(it.path, it.text.count("\n")) for it in found]
    return [
        f"{path}: {length} lines, at most {FILE_LIMIT}; give a noun of its own a file of its own"
        for path, length in counted
        if length > FILE_LIMIT and not path.startswith(EXEMPT_FILES)
    ]


def longest(found: Iterable[Source]) -> str:
    """List the ten longest functions, where to begin when the whole is too long."""
    ordered = sorted(lengths(found), key=lambda it: -it[1])
    return "the longest:\n" + "\n".join(f"{length:4} {place}" for place, length in ordered[:10])


def source_with(lines: int) -> Source:
    """Make a file with one function of so many lines."""
    return Source("bad.py", 'def long():\n    """Be long."""\n' + "    x = 1\n" * lines)


def test_no_function_is_over_the_limit() -> None:
    """No function body has more than 60 lines."""
    expect_none(too_long_functions([*our_code(), *suite()]))


def test_no_file_is_over_the_limit() -> None:
    """No file has more than 600 lines, contract suites apart."""
    expect_none(too_long_files([*our_code(), *suite()]))


def test_median_function() -> None:
    """Half of the functions have at most 8 lines."""
    assert median(length for _, length in lengths(our_code())) <= FUNCTION_MEDIAN, longest(
        our_code()
    )


def test_most_functions() -> None:
    """Nine of ten functions have at most 25 lines."""
    ninth = quantiles((length for _, length in lengths(our_code())), n=10)[-1]
    assert ninth <= FUNCTION_MOST, longest(our_code())


def test_median_file() -> None:
    """Half of the files have at most 150 lines."""
    assert median(it.text.count("\n") for it in our_code()) <= FILE_MEDIAN


@pytest.mark.parametrize(("lines", "count"), [(60, 0), (61, 1)])
def test_rule_sees_a_long_function(lines: int, count: int) -> None:
    """The rule counts the lines after the docstring."""
    assert len(too_long_functions([source_with(lines)])) == count


def test_rule_sees_a_long_file() -> None:
    """The rule names a file that is too long, and lets a contract suite be."""
    long = "x = 1\n" * (FILE_LIMIT + 1)
    assert len(too_long_files([Source("src/buttress/x.py", long)])) == 1
    assert too_long_files([Source(f"{EXEMPT_FILES[0]}x.py", long)]) == []
