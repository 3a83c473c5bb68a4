"""Fixtures for every test: the leak detector, and packages that exist for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.leaks import Snapshot
from tests.packages import forget_modules, write_package


@pytest.fixture(autouse=True)
def leak_detector() -> Iterator[None]:
    """Fail a test that leaves a thread, a context, a listening socket or a changed environment."""
    before = Snapshot.take()
    yield
    leaks = before.leaks()
    before.restore()
    if leaks:
        pytest.fail("the test left something behind: " + "; ".join(leaks), pytrace=False)


@pytest.fixture
def package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Mapping[str, str]], Path]]:
    """Give a function that writes a package, such as ``{"shop/app/main.py": "…"}``.

    Its folder is on ``sys.path`` during the test, and its modules are forgotten afterwards.
    """
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda files: write_package(tmp_path, files)
    forget_modules(tmp_path)
