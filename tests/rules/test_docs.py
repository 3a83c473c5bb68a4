"""Rule 14: what a user may write or meet is in docs/."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest

from buttress import Code, Extension
from buttress.cli import main as command
from tests.rules.source import ROOT
from tests.rules.verdict import expect_none
from tools import reference


def docs() -> str:
    """Read every page of docs/ and the README."""
    pages = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def missing(words: Iterable[str], text: str, what: str) -> list[str]:
    """Name the words that a text does not mention as code."""
    return [
        f"docs/: {what} `{word}` is not mentioned; describe it"
        for word in words
        if not re.search(rf"[`\s]{re.escape(word)}\b", text)
    ]


def hooks() -> list[str]:
    """List the hooks and attributes of the extension protocol."""
    names = {*vars(Extension), *Extension.__annotations__}
    return sorted(name for name in names if not name.startswith("_"))


def commands(group: click.Command = command, prefix: str = "buttress") -> Iterator[str]:
    """List our commands, those of groups included, as a user writes them."""
    inner: dict[str, click.Command] = dict(getattr(group, "commands", {}))
    inner |= {name: command.of_capability(name) for name in getattr(group, "CAPABILITIES", {})}
    for name, it in inner.items():
        yield from (
            commands(it, f"{prefix} {name}") if hasattr(it, "commands") else [f"{prefix} {name}"]
        )


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.name)
def test_generated_page_is_current(path: Path) -> None:
    """The generated pages say what the source says."""
    assert reference.is_current(path, reference.pages()[path]), "run make docs"


def test_every_setting_has_a_description() -> None:
    """Every setting of the core and of the built-in extensions is described."""
    fields = reference.registry().fields.values()
    expect_none([f"{it.key}: give it Meta(description=…)" for it in fields if not it.description])


def test_every_setting_is_in_docs() -> None:
    """Every setting is mentioned in docs/."""
    expect_none(missing(reference.registry().fields, docs(), "the setting"))


def test_every_hook_is_in_docs() -> None:
    """Every hook of the extension protocol is described in ``docs/extensions.md``."""
    page = (ROOT / "docs/extensions.md").read_text(encoding="utf-8")
    expect_none(missing(hooks(), page, "the hook"))


def test_every_command_is_in_docs() -> None:
    """Every command is mentioned in docs/ or the README."""
    expect_none(missing(commands(), docs(), "the command"))


def test_every_code_is_in_docs() -> None:
    """Every error code is mentioned in docs/."""
    expect_none(missing(Code, docs(), "the code"))


def test_rule_sees_what_is_missing() -> None:
    """The rule wants the whole word."""
    assert len(missing(["WEB_ROOT"], "see `WEB_ROOTS`", "the setting")) == 1
    assert missing(["WEB_ROOT"], "see `WEB_ROOT`", "the setting") == []
