"""The application of a command: loaded with the command's settings, closed afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from buttress import LifecycleError, SetupError
from buttress.cli.application import load_app, opened
from buttress.cli.locator import locate
from buttress.config import COMMAND_LINE
from buttress.errors import AppNotFound, DiscoveryError
from buttress.lifecycle import State
from tests.cli.shop import Write

GNAR_MAIN = """
    from buttress.gnar import GnarApp

    {line}
"""
GNAR_CALL = 'GnarApp("shop", production=True, port=8000, no_db=True, no_jwt=True)'


def failing(error: type[Exception], target: str | None = None) -> str:
    with pytest.raises(error) as caught:
        load_app(target, {})
    return str(caught.value)


def test_load(shop: Path) -> None:
    """The application comes back booted, with the settings of the command line."""
    app = load_app(None, {"PORT": "9001"})
    assert (app.package, app.lifecycle.state) == ("shop", State.BOOTED)
    assert app.settings.serving.port == 9001
    assert COMMAND_LINE.get() == {}
    app.close()


def test_factory(shop: Path) -> None:
    """A factory is called with the literals of the target."""
    app = load_app('shop:create_app({"PORT": 9002})', {})
    assert app.settings.serving.port == 9002
    app.close()


@pytest.mark.parametrize("line", [f"app = {GNAR_CALL}", f"{GNAR_CALL}.run()"])
def test_two_lines(project: Write, line: str) -> None:
    """The two lines of a GnarApp are loaded without being served, with a name and without."""
    project({"shop/app/main.py": GNAR_MAIN.format(line=line)})
    app = load_app(None, {})
    assert app.lifecycle.state is State.BOOTED
    assert sys.modules["shop.app.main"].app.package == "shop"
    app.close()


def test_opened_closes(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command's application is closed at the end, and logs nothing to standard output."""
    with opened(None, {}) as app:
        assert app.lifecycle.state is State.BOOTED
    assert app.lifecycle.state is State.CLOSED
    assert capsys.readouterr().out == ""


def test_missing_module(shop: Path) -> None:
    """A module that is not there is named."""
    assert "There is no module 'shop.wsgi'" in failing(AppNotFound, "shop.wsgi")


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("", "shop", "shop has no 'app'"),
        ("import flask; app = flask.Flask('x')", "shop", "is a plain flask.Flask"),
        ("def make(): ...", "shop:make", "is a function: write shop:make() to have it called"),
        ("def make(): ...", "shop:make()", "gave None"),
        ("app = 1", "shop", "shop:app is a int"),
    ],
)
def test_no_application(project: Write, text: str, target: str, message: str) -> None:
    """What is found instead of an application is said, with what to do."""
    project({"shop/__init__.py": text})
    assert message in failing(AppNotFound, target)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("app = (", "'(' was never closed ({file}:1)"),
        ("x = 1\nraise ValueError('no')", "ValueError: no ({file}:2)"),
        ("import json\njson.loads('')", "line 1 column 1 (char 0) ({file}:2)"),
        ("import missing_package", "No module named 'missing_package' ({file}:1)"),
        ("import sys\nsys.exit(3)", "SystemExit: 3 ({file}:2)"),
    ],
)
def test_module_that_fails(project: Write, text: str, message: str) -> None:
    """A module that does not load is told of with the file and line of the application's code."""
    file = project({"shop/main.py": text}) / "shop" / "main.py"
    said = failing(DiscoveryError)
    assert "shop.main does not load" in said
    assert message.format(file=file) in said


def test_step_that_fails(project: Write) -> None:
    """A hook of the application that raises is told of in the same way."""
    line = f"app = {GNAR_CALL}\n    app.postconfig = lambda: 1 / 0"
    project({"shop/app/main.py": GNAR_MAIN.format(line=line)})
    assert "ZeroDivisionError" in failing(DiscoveryError)


def test_bare_service(project: Write) -> None:
    """A service without a boot is not taken for one that can be served."""
    project({"shop/main.py": "import buttress\napp = buttress.Service(__name__)"})
    assert "use create_app" in failing(LifecycleError)


def test_settings_that_are_wrong(shop: Path) -> None:
    """What the configuration refuses comes through unchanged."""
    with pytest.raises(SetupError, match="PORT"):
        load_app(None, {"PORT": "many"})
    assert locate(None, shop).module == "shop.flask"
