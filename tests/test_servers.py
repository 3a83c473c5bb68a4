"""A missing server skips on a laptop and fails in CI."""

from __future__ import annotations

import pytest

from tests.servers import require_server


def test_installed_server() -> None:
    """An installed server lets the test go on."""
    require_server("granian")


def test_missing_server_on_a_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside CI a missing server skips the test and is named."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no_such_server is not installed"):
        require_server("no_such_server")


def test_missing_server_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI a missing server fails the test."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="a CI run must not go without it"):
        require_server("no_such_server")
