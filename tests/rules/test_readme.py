"""Rule 14: the service of the README is what the README says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from tests.cli.process import serving, stop
from tests.rules.source import ROOT

FILE = re.compile(r"^```python\n# (\S+\.py)\n(.*?)^```$", re.M | re.S)
QUESTION = re.compile(r"^curl localhost:8000(/\S*)\s+# (.+)$", re.M)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def questions() -> list[tuple[str, str]]:
    """List the paths that the README asks, and what it says of the answers."""
    return QUESTION.findall(README)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Write the files of the README, and nothing else, and serve them."""
    folder = tmp_path_factory.mktemp("readme")
    for name, text in FILE.findall(README):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with serving(folder, "--set", "DRAIN_GRACE=0.1") as (process, url):
        yield url
        assert stop(process) == 0


def test_readme_has_files_and_questions() -> None:
    """There are two files, and at least one answer that is written out."""
    assert [name for name, _ in FILE.findall(README)] == [
        "shop/app/orders/apis.py",
        "shop/app/main.py",
    ]
    assert [answer for _, answer in questions() if answer.startswith("{")]


@pytest.mark.parametrize(("path", "said"), questions())
def test_answers(address: str, path: str, said: str) -> None:
    """Each answer is the JSON that the README shows, or where it tells in words, a JSON object."""
    with urlopen(f"{address}{path}", timeout=10) as answer:
        text = answer.read().decode().strip()
    assert isinstance(json.loads(text), dict)
    assert text == said or not said.startswith("{")
