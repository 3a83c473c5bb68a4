"""Mistakes of users: one clear sentence, exit code 2, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.process import call
from tests.cli.shop import SHOP, Run, Write

APP = "import buttress\napp = buttress.create_app('shop', {arguments})\n"
TWO = "from flask import Blueprint\nblueprint = Blueprint('goods', __name__)\n"


def app(arguments: str) -> dict[str, str]:
    return {"shop/__init__.py": "", "shop/main.py": APP.format(arguments=arguments)}


def ini(text: str) -> dict[str, str]:
    return {**SHOP, "shop.ini": text}


MISTAKES = {
    "unknown extension": (app("extensions=['heatlh']"), "Did you mean 'health'?"),
    "later extension": (app("extensions=['metrics']"), "no extension 'metrics' yet"),
    "missing package": (app("extensions=['snow.lake']"), "There is no module 'snow'"),
    "config is no mapping": (app("config=3"), "config="),
    "lower-case key": (app("config={'port': 1}"), "port"),
    "syntax error": ({**SHOP, "shop/more.py": "x = ("}, "more.py"),
    "syntax error in the main module": ({"shop/main.py": "x = ("}, "main.py:1"),
    "failing import": ({**SHOP, "shop/more.py": "import snow"}, "No module named 'snow'"),
    "two blueprints of one name": (
        {**SHOP, "shop/more.py": TWO},
        "Two blueprints are named 'goods', in shop.api and in shop.more",
    ),
    "placeholder secret": (
        {**SHOP, "instance/config.py": "SECRET_KEY = 'changeme'"},
        "generate one with: buttress secret new",
    ),
    "nested boot": (
        {**SHOP, "shop/more.py": "from shop import create_app\ncreate_app()"},
        "would boot inside the boot of shop",
    ),
    "wrong value": ({**SHOP, "shop/settings.py": "PORT = 'many'"}, "settings.py:1"),
}
INI_MISTAKES = {
    "missing file": (SHOP, "shop.ini"),
    "unknown key": (ini("[serving]\nprot = 1\n"), "shop.ini:2"),
    "missing variable": (ini("[serving]\nport = ${NO_SUCH_VARIABLE}\n"), "NO_SUCH_VARIABLE"),
    "cyclic extends": (ini("[DEFAULT]\nextends = shop.ini\n"), "shop.ini"),
    "value outside a section": (ini("port = 1\n"), "shop.ini:1"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(project: Write, run: Run, name: str) -> None:
    """Each mistake is named in a sentence of its own."""
    files, message = MISTAKES[name]
    project(files)
    result = run("check")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("buttress: ")
    assert message in result.stderr


@pytest.mark.parametrize("name", ["syntax error", "wrong value", "nested boot"])
def test_run_does_not_start(project: Write, name: str) -> None:
    """The server does not start either, and the process prints no traceback."""
    files, message = MISTAKES[name]
    result = call(project(files), "run")
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize("name", INI_MISTAKES)
def test_mistakes_in_an_ini_file(project: Write, run: Run, name: str) -> None:
    """Each mistake in an ini file is named with the file, or the variable."""
    files, message = INI_MISTAKES[name]
    project(files)
    result = run("check", env={"SHOP_CONFIG": "shop.ini"})
    assert result.exit_code == 2
    assert message in result.stderr


def test_ini_that_is_not_utf8(project: Write, run: Run) -> None:
    """A file in another encoding is named with the place of the first wrong byte."""
    folder = project(SHOP)
    (folder / "shop.ini").write_bytes("[shop]\ncolour = grün\n".encode("latin-1"))
    result = run("check", env={"SHOP_CONFIG": "shop.ini"})
    assert result.exit_code == 2
    assert "shop.ini" in result.stderr
    assert "18" in result.stderr


def test_two_files_named(project: Write, run: Run) -> None:
    """Two variables that both name the settings are refused."""
    project(ini("[serving]\nport = 1\n"))
    result = run("check", env={"SHOP_CONFIG": "shop.ini", "APP_SETTINGS": "shop.ini"})
    assert result.exit_code == 2
    assert "APP_SETTINGS" in result.stderr


def test_variables_of_kubernetes(shop: Path, run: Run) -> None:
    """What Kubernetes sets for a service of the same name is ignored."""
    variables = {"SHOP_PORT": "tcp://10.0.0.1:80", "SHOP_SERVICE_HOST": "10.0.0.1"}
    result = run("config", "--all", env=variables)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "10.0.0.1" not in result.stdout


def test_several_mistakes_at_once(project: Write, run: Run) -> None:
    """All settings that are wrong are told of together."""
    project({**SHOP, "shop/settings.py": "PORT = 'many'\nWORKERS = 0"})
    result = run("check")
    assert "2 settings are wrong" in result.stderr
    assert "PORT" in result.stderr
    assert "WORKERS" in result.stderr
