"""Rule 16 and the hygiene of the repository: Makefile, ignores, requirements, paths."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

import pytest

from tests.rules.source import ROOT, Source, our_code, suite, tracked
from tests.rules.verdict import expect_none

IGNORE = re.compile(r"#\s*(?:noqa|type:\s*ignore|mypy:|ruff:)(?P<rest>.*)")
CODES = re.compile(r"^\W*(?:[A-Z]+[0-9]+\b[,\s]*|\[[a-z-, ]+\]|ignore-errors|noqa)*")
# Character classes keep these patterns from finding themselves.
FOREIGN = {
    "a path of one machine": re.compile(r"(?<![\w.~/-])/(?:wor[k]|roo[t]|tm[p]|hom[e]|User[s])/\w"),
    "the host of a package registry": re.compile(
        r"pyp[i]\.org|pythonhoste[d]\.org|npmj[s]\.org|de[b]\.debian\.org|\bindex-ur[l][ =]+\S*:"
    ),
    "a tool of one workplace": re.compile(r"\bfar[m]-[a-z]"),
}
# Words for what a lock or a build must not hold are looked for everywhere but in locks' hashes.
TEXT = {".py", ".md", ".toml", ".txt", ".in", ".cfg", ".ini", ".yml", ".yaml", ".json", ".tmpl", ""}


def targets_without_help(makefile: str) -> list[str]:
    """Name the targets of a Makefile that lack a ``## help`` text."""
    phony = " ".join(re.findall(r"^\.PHONY:(.*)$", makefile, re.M)).split()
    targets = re.findall(r"^([a-z][a-z-]*):", makefile, re.M)
    helped = set(re.findall(r"^([a-z][a-z-]*):.*## \w", makefile, re.M))
    return [
        f"Makefile: give {name} a line '{name}: … ## what it does'"
        for name in sorted({*phony, *targets} - helped)
    ]


def ignores_without_reason(found: Iterable[Source]) -> list[str]:
    """Name the lint ignores that say neither on their line nor above it why."""
    return [
        f"{source.path}:{number}: say why, after the code or in a comment line above"
        for source in found
        for number, comment in _comments(source.text)
        if (match := IGNORE.search(comment)) and not _has_reason(source, number, match["rest"])
    ]


def settings_without_reason(pyproject: str) -> list[str]:
    """Name the ignored rules in ``pyproject.toml`` whose line has no comment."""
    lists = re.findall(r"^(?:ignore|\"[^\"]+\") = \[$(.*?)^\]$", pyproject, re.M | re.S)
    entries = [line.strip() for text in lists for line in text.splitlines() if line.strip()]
    return [f"pyproject.toml: {line} needs a reason: # …" for line in entries if "# " not in line]


def foreign(path: str, text: str) -> list[str]:
    """Name the places of a text that only make sense on one machine or to one registry."""
    return [
        f"{path}:{number}: {what}: {match[0]!r}; remove it"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FOREIGN.items()
        if (match := pattern.search(line))
    ]


def unhashed(path: str, text: str) -> list[str]:
    """Name the requirements of a lock that are not pinned with hashes."""
    logical = re.sub(r"\\\n", " ", text).splitlines()
    lines = [line for line in logical if line and not line.lstrip().startswith("#")]
    return [
        f"{path}: {line.split()[0]} is not pinned with a hash; run make lock"
        for line in lines
        if "==" not in line or "--hash=sha256:" not in line
    ]


def _comments(text: str) -> list[tuple[int, str]]:
    tokens = tokenize.generate_tokens(StringIO(text).readline)
    return [(it.start[0], it.string) for it in tokens if it.type == tokenize.COMMENT]


def _has_reason(source: Source, number: int, rest: str) -> bool:
    above = source.text.splitlines()[number - 2].strip() if number > 1 else ""
    return len(CODES.sub("", rest).split()) >= 2 or above.startswith("#")


def texts() -> list[Path]:
    """List the tracked files that hold text of ours."""
    return [path for path in tracked() if path.suffix in TEXT]


def locks() -> list[Path]:
    """List the locked requirement files."""
    return [path for path in tracked() if path.match("requirements/*.txt")]


def test_every_target_has_a_help_line() -> None:
    """``make help`` explains every target."""
    expect_none(targets_without_help((ROOT / "Makefile").read_text(encoding="utf-8")))


def test_every_ignore_has_a_reason() -> None:
    """Every lint ignore in the code says why."""
    expect_none(ignores_without_reason([*our_code(), *suite()]))


def test_every_ignored_rule_has_a_reason() -> None:
    """Every rule that is switched off in ``pyproject.toml`` says why."""
    expect_none(settings_without_reason((ROOT / "pyproject.toml").read_text(encoding="utf-8")))


def test_nothing_of_one_machine() -> None:
    """No file names a path of one machine, a registry's host or a workplace's tool."""
    expect_none(
        [
            problem
            for path in texts()
            for problem in foreign(
                path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
            )
        ]
    )


def test_requirements_are_hashed() -> None:
    """Every locked requirement is pinned with hashes."""
    assert {path.name for path in locks()} >= {"core.txt", "dev.txt", "uv.txt"}
    expect_none(
        [it for path in locks() for it in unhashed(path.name, path.read_text(encoding="utf-8"))]
    )


def test_no_lock_with_addresses() -> None:
    """There is no ``uv.lock``, which would write download addresses down."""
    assert [path for path in tracked() if path.name == "uv.lock"] == []


def test_rule_sees_a_target_without_help() -> None:
    """The rule wants a help text after the target's own line."""
    assert len(targets_without_help("test: setup\n\tpytest\nhelp: ## list\n")) == 1


@pytest.mark.parametrize(
    "comment", ["noqa: S104", "noqa", "type: ignore[arg-type]", "noqa: A1, B2"]
)
def test_rule_sees_an_ignore_without_reason(comment: str) -> None:
    """The rule names an ignore that has a code but no reason."""
    assert len(ignores_without_reason([Source("x.py", f"x = 1  # {comment}")])) == 1


@pytest.mark.parametrize(
    "text",
    ["x = 1  # noqa: S104  # every interface", "# Flask's own type\nx = 1  # type: ignore[x]"],
)
def test_rule_takes_a_reason(text: str) -> None:
    """A reason stands after the code or on the line above."""
    assert ignores_without_reason([Source("x.py", text)]) == []


def test_rule_sees_a_rule_without_reason() -> None:
    """The rule looks at every entry of the lists of ignores."""
    text = 'ignore = [\n  "A1", # why\n  "B2",\n]\n"tests/**" = [\n  "S101",\n]\n'
    assert len(settings_without_reason(text)) == 2


@pytest.mark.parametrize(
    "text", ["/roo" + "t/x", "see /wor" + "k/x", "https://pyp" + "i.org/simple", "far" + "m-test"]
)
def test_rule_sees_what_is_foreign(text: str) -> None:
    """The rule names a path, a host and a tool."""
    assert len(foreign("x.md", text)) == 1


def test_rule_lets_a_route_be() -> None:
    """A path below a host or a folder of ours is no path of one machine."""
    text = "https://shop.example/home/x and src/work/x and /work"
    assert foreign("x.md", text) == []


@pytest.mark.parametrize("text", ["flask==3.1.3", "flask>=3 \\\n    --hash=sha256:00"])
def test_rule_sees_what_is_not_hashed(text: str) -> None:
    """The rule wants an exact version and a hash."""
    assert len(unhashed("core.txt", text)) == 1
