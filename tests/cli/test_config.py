"""``buttress config``: key, value, source, and what was overridden."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.shop import SHOP, Run, Write

SECRET = "pepper-and-salt-and-more-of-it-for-the-length"
FILES = {
    **SHOP,
    "shop/settings.py": "PORT = 8001\nCOLOUR = 'red'",
    "instance/config.py": f"PORT = 8002\nSECRET_KEY = {SECRET!r}",
}


@pytest.fixture
def found(project: Write, run: Run) -> dict[str, dict[str, object]]:
    project(FILES)
    rows = json.loads(run("config", "--json", env={"SHOP_PORT": "8003"}).stdout)
    return {row["key"]: row for row in rows}


def test_provenance(found: dict[str, dict[str, object]]) -> None:
    """A setting says where it comes from, and which sources it overrode."""
    assert found["PORT"] == {
        "key": "PORT",
        "value": "8003",
        "source": "environment SHOP_PORT",
        "overrode": ["instance/config.py:1", "shop/settings.py:1"],
    }


def test_own_keys(found: dict[str, dict[str, object]]) -> None:
    """The application's own keys are shown too."""
    assert found["COLOUR"]["value"] == "'red'"


def test_secrets_are_masked(found: dict[str, dict[str, object]]) -> None:
    """A secret is masked."""
    assert found["SECRET_KEY"]["value"] == "'********'"


def test_text(project: Write, run: Run) -> None:
    """The text is a table, and holds no secret either."""
    project(FILES)
    result = run("config")
    assert result.stdout.startswith("KEY ")
    assert "instance/config.py:1" in result.stdout
    assert SECRET not in result.output


def test_defaults(shop: Path, run: Run) -> None:
    """The defaults are shown with --all only."""
    assert "WORKERS" not in run("config").stdout
    assert "WORKERS" in run("config", "--all").stdout


def test_command_line(shop: Path, run: Run) -> None:
    """An option of the command line is a source like any other."""
    (row,) = [
        it
        for it in json.loads(run("config", "--json", "--set", "PORT=1").stdout)
        if it["key"] == "PORT"
    ]
    assert str(row["source"]).startswith("command line")
