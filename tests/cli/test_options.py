"""The options of every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.shop import SHOP, Run, Write


def settings(output: str) -> dict[str, str]:
    return {row["key"]: row["value"] for row in json.loads(output)}


@pytest.mark.parametrize(
    "arguments",
    [
        ("config", "--json", "--set", "PORT=9003", "--dev"),
        ("--set", "PORT=9003", "--dev", "config", "--json"),
        (
            "--app",
            "shop.flask",
            "config",
            "--json",
            "--set",
            "PORT=9003",
            "--set",
            "MODE=development",
        ),
    ],
)
def test_before_or_after(shop: Path, run: Run, arguments: tuple[str, ...]) -> None:
    """The options stand before the command or after it."""
    found = settings(run(*arguments).stdout)
    assert (found["PORT"], found["MODE"]) == ("9003", "'development'")


def test_app_of_the_command_counts(shop: Path, run: Run) -> None:
    """The application named after the command beats the one named before it."""
    assert run("--app", "nothing", "config", "--app", "shop.flask:app").exit_code == 0


@pytest.mark.parametrize("pair", ["PORT", "port=1", "=1", "A B=1"])
def test_bad_pair(shop: Path, run: Run, pair: str) -> None:
    """What is no KEY=VALUE is refused."""
    result = run("config", "--set", pair)
    assert result.exit_code == 2
    assert f"{pair!r} is not KEY=VALUE" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("config", "--dev", "--set", "MODE=production"),
        ("config", "--set", "PORT=1", "--set", "PORT=2"),
        ("run", "--set", "PORT=1", "--port", "2"),
    ],
)
def test_given_twice(shop: Path, run: Run, arguments: tuple[str, ...]) -> None:
    """Two values for one key on one command line are refused."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert "is given twice" in result.stderr


def test_unknown_key(shop: Path, run: Run) -> None:
    """A key that no other source has is refused, and the nearest one named."""
    result = run("--set", "PRT=1", "check")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no setting PRT; did you mean PORT?" in result.stderr


def test_value_with_equals_sign(project: Write, run: Run) -> None:
    """Only the first equals sign separates."""
    project({**SHOP, "shop/settings.py": "QUERY = ''"})
    assert settings(run("config", "--json", "--set", "QUERY=a=b").stdout)["QUERY"] == "'a=b'"
