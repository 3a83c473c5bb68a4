"""Rule 9: one error tree, drawn and explained."""

from __future__ import annotations

import ast

from tests.rules.source import ROOT, Source, read
from tests.rules.verdict import expect_none

ERRORS = ROOT / "src/buttress/errors.py"


def error_classes(source: Source) -> list[ast.ClassDef]:
    """List the classes of a file that are errors, enums left out."""
    classes = [it for it in source.tree.body if isinstance(it, ast.ClassDef)]
    return [it for it in classes if not any("Enum" in ast.unparse(base) for base in it.bases)]


def unexplained(source: Source) -> list[str]:
    """Name the errors whose docstring does not say when they are raised."""
    return [
        f"{source.at(it)} {it.name}: begin its docstring with 'Raised when'"
        for it in error_classes(source)
        if not (ast.get_docstring(it) or "").startswith("Raised when")
    ]


def not_drawn(source: Source) -> list[str]:
    """Name the errors that the tree in the docstring of the file lacks."""
    tree = (ast.get_docstring(source.tree) or "").split()
    return [
        f"{source.at(it)} {it.name}: draw it in the tree at the top of the file"
        for it in error_classes(source)
        if it.name not in tree
    ]


def test_every_error_says_when() -> None:
    """Every error says when it is raised."""
    expect_none(unexplained(read(ERRORS)))


def test_every_error_is_in_the_tree() -> None:
    """The tree at the top of ``errors.py`` has every error."""
    expect_none(not_drawn(read(ERRORS)))


def test_rules_see_a_bad_error() -> None:
    """The rules name an error that is neither explained nor drawn, and no enum."""
    bad = Source(
        "errors.py", '"""Errors."""\nclass Odd(Exception):\n    """Odd."""\nclass C(StrEnum): ...'
    )
    assert [len(rule(bad)) for rule in (unexplained, not_drawn)] == [1, 1]
