"""Rule 12: tests read as statements of behaviour."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath
from statistics import median

import pytest

from tests.rules.source import Defined, Source, body_length, functions, library, suite
from tests.rules.verdict import expect_none

TEST_MEDIAN = 13
# Folders that do not stand for one of the library.
OTHER_FOLDERS = frozenset({"benchmarks", "examples", "rules", "tools", "typing_checks"})
# Tests of what the tests share.
SHARED = frozenset({"test_corpora.py", "test_leaks.py", "test_packages.py", "test_servers.py"})


def tests_in(found: Iterable[Source]) -> list[Defined]:
    """List the test functions of several files."""
    return [it for it in functions(found) if it.node.name.startswith("test_") and it.is_top]


def without_statement(found: Iterable[Source]) -> list[str]:
    """Name the tests whose docstring is missing or is more than one paragraph."""
    return [
        f"{it.place}: say in one sentence what holds"
        for it in tests_in(found)
        if not _is_one_statement(ast.get_docstring(it.node))
    ]


def in_classes(found: Iterable[Source]) -> list[str]:
    """Name the tests that are methods."""
    return [
        f"{it.place}: write a plain function"
        for it in functions(found)
        if it.owner and it.node.name.startswith("test_")
    ]


def unmirrored(found: Iterable[Source], modules: Collection[str]) -> list[str]:
    """Name the test files whose place is not that of what they test."""
    return [
        f"{it.path}: there is no {mirrored}; put it where it mirrors what it tests"
        for it in found
        if (mirrored := _mirrored(it.path)) and mirrored not in modules
    ]


def _mirrored(path: str) -> str | None:
    """Give the folder of the library that a test folder stands for; for a file, the module."""
    _, top, *rest = PurePosixPath(path).parts
    if top in OTHER_FOLDERS or (not rest and not top.startswith("test_")):
        return None
    stem = top.removeprefix("test_").removesuffix(".py")
    return None if top in SHARED else f"buttress.{stem}"


def _is_one_statement(text: str | None) -> bool:
    return bool(text) and "\n\n" not in str(text) and str(text).endswith(".")


def test_every_test_is_a_statement() -> None:
    """Every test says in one sentence what holds."""
    expect_none(without_statement(suite()))


def test_tests_are_plain_functions() -> None:
    """No test is a method."""
    expect_none(in_classes(suite()))


def test_tests_are_short() -> None:
    """Half of the tests have at most 13 lines."""
    assert median(body_length(it.node) for it in tests_in(suite())) <= TEST_MEDIAN


def test_tests_mirror_the_library() -> None:
    """The tests of a module or folder stand in a file or folder of the same name."""
    modules = {it.name for it in library()}
    here = (it for it in suite() if it.path.startswith("tests/"))
    expect_none(unmirrored(here, modules))


@pytest.mark.parametrize("docstring", ["", '"""No full stop"""', '"""One.\n\n    Two."""'])
def test_rule_sees_a_test_without_statement(docstring: str) -> None:
    """The rule refuses a docstring that is missing, unfinished or long."""
    bad = Source("tests/test_x.py", f"def test_x():\n    {docstring}\n    assert f()")
    assert len(without_statement([bad])) == 1


def test_rule_sees_a_test_in_the_wrong_place() -> None:
    """The rule compares files with modules, and folders with packages."""
    paths = ["tests/test_boot.py", "tests/web/test_cors.py", "tests/test_x.py", "tests/y/test_z.py"]
    found = unmirrored([Source(path, "") for path in paths], {"buttress.boot", "buttress.web"})
    assert [it.partition(":")[0] for it in found] == paths[2:]


def test_rule_sees_a_method() -> None:
    """The rule refuses test classes."""
    bad = Source("tests/test_x.py", "class TestX:\n    def test_x(self):\n        assert f()")
    assert len(in_classes([bad])) == 1
