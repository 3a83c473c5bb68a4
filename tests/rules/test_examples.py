"""Rule 10: the examples in docstrings and docs/ work."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.rules.source import ROOT, Source, library

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
RUNNER = doctest.DocTestParser()


def pages() -> list[Path]:
    """List the pages that a user reads."""
    return [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Give the Python blocks of a page with the line on which each begins."""
    for match in BLOCK.finditer(text):
        yield text.count("\n", 0, match.start()) + 2, match[1]


def broken(page: str, text: str) -> list[str]:
    """Name the blocks of a page that are no Python, or whose prompts give something else."""
    return [
        f"{page}:{line}: {problem}"
        for line, block in blocks(text)
        if (problem := _run(page, line, block) if ">>>" in block else _parse(block))
    ]


def _parse(block: str) -> str | None:
    try:
        ast.parse(block)
    except SyntaxError as error:
        return f"this is no Python: {error}"
    return None


def _run(page: str, line: int, block: str) -> str | None:
    test = RUNNER.get_doctest(block, {}, page, page, line)
    output: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=output.append)
    return "".join(output) or None


def with_prompts() -> list[Source]:
    """List the files of the library whose docstrings have examples."""
    return [it for it in library() if ">>> " in it.text]


@pytest.mark.parametrize("source", with_prompts(), ids=lambda it: it.name)
def test_examples_of_a_module(source: Source) -> None:
    """The examples in the docstrings of a module give what they show."""
    assert doctest.testmod(import_module(source.name)).failed == 0


@pytest.mark.parametrize("page", pages(), ids=lambda it: it.name)
def test_examples_of_a_page(page: Path) -> None:
    """The Python of a page is Python, and its prompts give what they show."""
    assert broken(page.name, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("block", ["def f(:", ">>> 1 + 1\n3"], ids=["no Python", "another answer"])
def test_rule_sees_a_broken_example(block: str) -> None:
    """The rule parses a block, and runs it when it has prompts."""
    assert len(broken("x.md", f"Text.\n\n```python\n{block}\n```\n")) == 1
