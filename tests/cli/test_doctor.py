"""``buttress doctor``: started, checked one by one, closed."""

from __future__ import annotations

import json

import pytest

from tests.cli.shop import SHOP, Run, Write

APP = """
    import buttress
    from shop import lake

    app = buttress.create_app("shop", extensions=[lake])
"""
LAKE = """
    import time
    from flask import current_app
    from buttress import Unhealthy

    def init_app(app):
        return app.package

    def start(it):
        {start}

    def check(it):
        assert current_app.package == it
        {check}

    def close(it):
        print("closed", it)
"""


@pytest.fixture
def lake(project: Write) -> object:
    def write(check: str = "pass", start: str = "pass") -> None:
        files = {"shop/__init__.py": "", "shop/main.py": APP}
        project({**files, "shop/lake.py": LAKE.format(check=check, start=start)})

    return write


def test_all_is_well(lake: Write, run: Run) -> None:
    """What works has a line that begins with ok, and everything is closed."""
    lake()
    result = run("doctor")
    assert result.exit_code == 0
    assert "ok      lake: " in result.stdout
    assert "ok      flask: 3.1" in result.stdout
    assert "closed shop" in result.stderr


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("raise Unhealthy('frozen')", "Unhealthy: frozen"),
        ("raise OSError('no route')", "OSError: no route"),
        ("raise TimeoutError", "TimeoutError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("time.sleep(0.4)", "no answer within 0.1 seconds"),
    ],
)
def test_what_does_not_work(lake: Write, run: Run, check: str, message: str) -> None:
    """What does not work is named with its reason, and the exit code is 1."""
    lake(check)
    result = run("doctor", "--timeout", "0.1")
    assert result.exit_code == 1
    assert f"failed  lake: {message}\n" in result.stdout


def test_what_does_not_start(lake: Write, run: Run) -> None:
    """An extension that does not start is told of, and the exit code is 1."""
    lake(start="raise OSError('no route')")
    result = run("doctor")
    assert result.exit_code == 1
    assert "failed  start: OSError: no route\n" in result.stdout


def test_json(lake: Write, run: Run) -> None:
    """With --json standard output is one object."""
    lake()
    document = json.loads(run("doctor", "--json").stdout)
    assert document["ok"] is True
    assert "lake" in [finding["subject"] for finding in document["findings"]]


def test_without_dependencies(project: Write, run: Run) -> None:
    """An application that depends on nothing is well."""
    project(SHOP)
    assert run("doctor").exit_code == 0


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "1e300", "soon"])
def test_bad_timeout(run: Run, seconds: str) -> None:
    """What is no time to wait is refused."""
    result = run("doctor", "--timeout", seconds)
    assert result.exit_code == 2
    assert "--timeout" in result.stderr
