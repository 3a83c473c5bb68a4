"""Rule 8: the public API is short and pinned."""

from __future__ import annotations

import ast

import pytest

import buttress
from tests.rules.source import ROOT, Source, read
from tests.rules.verdict import expect_none

MOST = 25
PINNED = """
    Service create_app
    Config Key Secret Section
    EXTENSIONS Deadline Extension
    consumer cron every pulse_consumer
    ButtressError Code ConfigError ExtensionError LifecycleError Problem SetupError
    Unavailable Unhealthy
"""


def ungrouped(source: Source) -> list[str]:
    """Name the place of an ``__all__`` that does not begin with a comment."""
    lists = [
        it.value
        for it in source.tree.body
        if isinstance(it, ast.Assign) and ast.unparse(it.targets[0]) == "__all__"
    ]
    return [
        f"{source.at(it)}: group the names of __all__, each group under a comment"
        for it in lists
        if not source.text.splitlines()[it.lineno].strip().startswith("#")
    ]


def test_public_names_are_pinned() -> None:
    """The public names are these; a change of the list is a change of the API."""
    assert sorted(buttress.__all__) == sorted(PINNED.split())


def test_public_names_are_few() -> None:
    """There are at most 25 public names."""
    assert len(buttress.__all__) <= MOST


@pytest.mark.parametrize("name", PINNED.split())
def test_public_name_exists(name: str) -> None:
    """Every public name is there."""
    assert hasattr(buttress, name)


def test_public_names_are_grouped() -> None:
    """The names of ``__all__`` stand in groups under comments."""
    expect_none(ungrouped(read(ROOT / "src/buttress/__init__.py")))


def test_rule_sees_a_plain_list() -> None:
    """The rule wants the first group to have a comment."""
    assert len(ungrouped(Source("x.py", '__all__ = [\n    "b",\n]'))) == 1
    assert ungrouped(Source("x.py", '__all__ = [\n    # letters\n    "b",\n]')) == []
