"""What ties Buttress to a version of Flask is known: one file, one page, one bound."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.rules.source import ROOT, Source, library, read
from tests.rules.verdict import expect_none

PAGE = ROOT / "docs/flask-versions.md"
COMPAT = ROOT / "src/buttress/engine/flaskcompat.py"
FOREIGN = re.compile(r"(flask|werkzeug)(\.|$)")


def is_private(name: str) -> bool:
    """Tell whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def private_imports(source: Source) -> Iterator[str]:
    """List the private names that a file imports from Flask or Werkzeug."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and FOREIGN.match(node.module or ""):
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (it for it in whole if any(map(is_private, it.split("."))))


def private_attributes(source: Source) -> Iterator[str]:
    """List the private attributes that a file reads or sets."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            yield node.attr


def test_private_imports_are_in_one_file() -> None:
    """No other file of ours imports a private name of Flask's or Werkzeug's."""
    found = ((it, name) for it in library() for name in private_imports(it))
    outside = [(it, name) for it, name in found if it.path != read(COMPAT).path]
    expect_none([f"{it.path}: {name} belongs into {COMPAT.name}" for it, name in outside])


def test_page_names_what_is_private() -> None:
    """The table of the page names every private name that is used, and no other."""
    compat = read(COMPAT)
    imported = {name.rpartition(".")[2] for name in private_imports(compat)}
    used = {name for name in imported if is_private(name)} | set(private_attributes(compat))
    rows = re.findall(r"^\| (`_.*?) \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert {name.strip("`") for row in rows for name in row.split(", ")} == used


def test_page_names_the_bound() -> None:
    """The page gives the requirement on Flask that the distribution has."""
    wanted = re.search(r'"(Flask>=.*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert wanted is not None
    assert f"`{wanted[1]}`" in PAGE.read_text(encoding="utf-8")
    assert wanted[1].endswith("<3.2")


def test_private_import_is_seen() -> None:
    """A private name and a private module are seen, whatever they are called here."""
    text = "from flask.ctx import A, _B as C\nfrom werkzeug._internal import d\nfrom us import _e\n"
    assert list(private_imports(Source("x.py", text))) == ["flask.ctx._B", "werkzeug._internal.d"]
