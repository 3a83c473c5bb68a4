from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpora import corpus


def test_corpus_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus is looked for where ``BUTTRESS_CORPORA`` says."""
    monkeypatch.setenv("BUTTRESS_CORPORA", str(tmp_path))
    (tmp_path / "strings.json").touch()
    assert corpus("strings.json") == tmp_path / "strings.json"


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_missing_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    """A missing corpus skips the test on a laptop and fails it in CI."""
    monkeypatch.setenv("BUTTRESS_CORPORA", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="there is no corpus"):
        corpus("strings.json")
