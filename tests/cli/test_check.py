"""``buttress check``: everything is validated and nothing starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buttress.lifecycle import Lifecycle
from tests.cli.shop import SHOP, Run, Write

BROKEN = {**SHOP, "shop/more.py": "import missing_package"}


def test_all_is_well(shop: Path, run: Run) -> None:
    """Each part has a line that begins with ok, and the exit code is 0."""
    result = run("check")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert all(line.startswith("ok ") for line in lines)
    assert "ok      application: shop, mode production" in lines
    assert "ok      server: granian" in lines


def test_starts_nothing(shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No extension is started."""
    monkeypatch.setattr(Lifecycle, "start", lambda *_, **__: pytest.fail("it was started"))
    assert run("check").exit_code == 0


def test_json(shop: Path, run: Run) -> None:
    """With --json standard output is one object, which a script can read."""
    document = json.loads(run("check", "--json").stdout)
    assert document["ok"] is True
    assert {"subject": "server", "ok": True, "detail": "granian"} in document["findings"]


def test_warnings(shop: Path, run: Run) -> None:
    """What is only odd is told once and plainly, and the exit code stays 0."""
    for extra in ([], ["--dev"], ["--set", "LOG_LEVEL=ERROR"]):
        result = run("check", *extra, env={"SHOP_PROT": "9000"})
        assert result.exit_code == 0
        assert result.stderr == (
            "warning: environment SHOP_PROT: no extension of this application declares PROT; "
            "did you mean PORT?\n"
        )


def test_warnings_as_json(shop: Path, run: Run) -> None:
    """With --json warnings are in the object."""
    document = json.loads(run("check", "--json", env={"SHOP_PROT": "9000"}).stdout)
    assert [text.partition(":")[0] for text in document["warnings"]] == ["environment SHOP_PROT"]


def test_wrong_setting(shop: Path, run: Run) -> None:
    """A setting that is wrong is named, with exit code 2."""
    result = run("check", "--set", "PORT=many")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "PORT" in result.stderr


def test_wrong_setting_as_json(shop: Path, run: Run) -> None:
    """With --json a mistake is in the object too."""
    result = run("check", "--json", "--set", "PORT=many")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["ok"]) == (2, False)
    assert "PORT" in document["findings"][0]["detail"]


def test_server_that_does_not_fit(shop: Path, run: Run) -> None:
    """A server that cannot be used in this mode is a mistake."""
    result = run("check", "--set", "SERVER=development")
    assert result.exit_code == 2
    assert "SERVER is 'development' and MODE 'production'" in result.stderr


def test_broken_module(project: Write, run: Run) -> None:
    """A module that does not load fails the check, in production and in development."""
    project(BROKEN)
    assert "missing_package" in run("check").stderr
    result = run("check", "--dev")
    assert result.exit_code == 2
    assert "failed  shop.more:" in result.stdout
    assert "ok      server: development" in result.stdout
