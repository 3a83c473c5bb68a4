"""Rule 14: every relative link of a page leads somewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath

import pytest

from tests.rules.source import ROOT, tracked
from tests.rules.verdict import expect_none

CODE = re.compile(r"^(`{3,}|~{3,}).*?^\1`*\s*?$|(`+)[^`]+\2", re.M | re.S)
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1`*\s*?$", re.M | re.S)
LINK = re.compile(r"\]\(\s*<?([^)\s>]*)[^)]*\)|^[ ]{0,3}\[[^\]]+\]:\s*<?([^\s>]+)", re.M)
HEADING = re.compile(r"^#{1,6}\s+(.+?)(?:\s+#+)?\s*$", re.M)
LABEL = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
NAMED = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)

Pages = dict[str, str]


def links(text: str) -> Iterator[tuple[int, str]]:
    """Give the relative links of a page, code left out, with the line of each."""
    prose = CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
    for match in LINK.finditer(prose):
        target = match[1] if match[1] is not None else match[2]
        if not ELSEWHERE.match(target):
            yield prose.count("\n", 0, match.start()) + 1, target


def anchors(text: str) -> set[str]:
    """Give the anchors of a page: those of its headings, as GitHub makes them, and its own."""
    prose = FENCE.sub("", text)
    seen: Counter[str] = Counter()
    found = set(NAMED.findall(prose))
    for heading in HEADING.findall(prose):
        slug = _slug(heading)
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def dead(pages: Pages, files: Collection[str]) -> list[str]:
    """Name the links of pages that lead to no file, no folder, or no heading of a page."""
    folders = {str(parent) for file in files for parent in PurePosixPath(file).parents}
    return [
        f"{page}:{line}: {target} leads nowhere; mend the {fault}"
        for page, text in pages.items()
        for line, target in links(text)
        if (fault := _fault(page, target, pages, {*files, *folders}))
    ]


def _fault(page: str, target: str, pages: Pages, places: Collection[str]) -> str | None:
    path, _, anchor = target.partition("#")
    place = normpath(PurePosixPath(page).parent / path) if path else page
    if not target or place not in places:
        return "path"
    if anchor and anchor not in anchors(pages.get(place, "")):
        return "anchor"
    return None


def _slug(heading: str) -> str:
    text = LABEL.sub(r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def below(path: Path) -> str:
    """Give the path of a file below the repository."""
    return path.relative_to(ROOT).as_posix()


def test_every_link_leads_somewhere() -> None:
    """Every relative link leads to a file of the repository, and its anchor to a heading."""
    pages = {below(it): it.read_text(encoding="utf-8") for it in tracked() if it.suffix == ".md"}
    assert sum(len(list(links(text))) for text in pages.values()) > 10
    expect_none(dead(pages, [below(path) for path in tracked()]))


BAD = "no.md ../other.md /docs/b.md b.md#none #none ../src/x.py#L3 ../../a.md".split()
GOOD = "b.md b.md#a-heading-with-code #top ../README.md .. ../src/ https://x.example/y mailto:a@b"


@pytest.mark.parametrize("target", ["", *BAD])
@pytest.mark.parametrize("form", ["see [it]({})", "![it]({})", "see [it][1]\n\n[1]: {}"])
def test_rule_sees_a_dead_link(target: str, form: str) -> None:
    """The rule looks at links, pictures and references, and at the anchors of each."""
    pages = {"docs/a.md": form.format(target), "docs/b.md": "# B\n"}
    expected = 0 if not target and "]: " in form else 1
    assert len(dead(pages, [*pages, "README.md", "src/x.py"])) == expected


@pytest.mark.parametrize("target", GOOD.split())
def test_rule_lets_a_good_link_be(target: str) -> None:
    """Files, folders and headings of the repository are found; other places are left alone."""
    pages = {
        "docs/a.md": f"# Top\n[it]({target})",
        "docs/b.md": "# B\n## A `heading`, with `code`\n",
    }
    assert dead(pages, [*pages, "README.md", "src/x.py"]) == []


@pytest.mark.parametrize("code", ["`[it](x)`", "```md\n[it](x)\n```", "~~~\n[it](x)\n~~~"])
def test_rule_leaves_code_alone(code: str) -> None:
    """What looks like a link in code is none, and lines are counted all the same."""
    assert list(links(f"{code}\n[it](y)")) == [(code.count("\n") + 2, "y")]


def test_anchors_of_equal_headings_are_numbered() -> None:
    """The second of two headings with one text gets a number; comments in code are no headings."""
    text = '# [A](x) b\n## A b\n```sh\n# no\n```\n<a id="own"></a>\n'
    assert anchors(text) == {"a-b", "a-b-1", "own"}
