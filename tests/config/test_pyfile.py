"""Configuration files in Python."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from tests.config.sections import GOOD, OTHER


def test_a_python_file_gives_its_upper_case_names(shop):
    """Lower-case names and imports are left out, lines are known."""
    shop.write("shop/settings.py", "import os\nlower = 1\nif True:\n    GREETING = 'hi'\n")
    configuration = shop.load()
    assert configuration.values["GREETING"] == "hi"
    assert shop.origin("GREETING", configuration) == "shop/settings.py:4"
    assert "lower" not in configuration.values


def test_the_last_assignment_is_the_origin(shop):
    """Of several lines that set a name the last one is told."""
    shop.write("shop/settings.py", "GREETING = 1\nif True:\n    GREETING = 2\nGREETING = 3\n")
    assert shop.origin("GREETING", shop.load()) == "shop/settings.py:4"


def test_a_name_that_is_not_assigned_plainly_has_the_file_as_origin(shop):
    """A line that cannot be told is left out."""
    shop.write("shop/settings.py", "globals()['GREETING'] = 'hi'\n")
    assert shop.origin("GREETING", shop.load()) == "shop/settings.py"


def test_a_file_that_is_no_module_leaves_none_behind(shop):
    """It is executed as it is, yet may import its neighbours."""
    shop.write("shop/settings.py", "PLACE = __file__\nNAME = __name__\nPACKAGE = __package__\n")
    values = shop.load().values
    assert values["PLACE"] == str(shop.folder / "shop" / "settings.py")
    assert (values["NAME"], values["PACKAGE"]) == ("shop.settings", "shop")
    assert "shop.settings" not in sys.modules


@pytest.mark.parametrize("named", [True, False])
def test_a_file_beside_the_application_is_no_module(shop, package, named):
    """A named file and an instance file are executed, even if they could be imported."""
    folder = package({"shop/__init__.py": "", "config.py": "A = 1", "instance/config.py": "A = 1"})
    if named:
        shop.environ["SHOP_CONFIG"] = str(folder / "config.py")
        (folder / "instance" / "config.py").unlink()
    assert shop.load().values["A"] == 1
    assert not {"config", "instance.config", "shop.config"} & sys.modules.keys()


@pytest.mark.parametrize("name", ["defaults", "settings"])
def test_a_module_of_the_application_runs_once(shop, package, name):
    """Handlers that import it get the same module, whether before or after it is loaded."""
    package({"shop/__init__.py": "", f"shop/{name}.py": "RUNS = [1]\nPLACE = __name__\n"})
    values = shop.load().values
    module = import_module(f"shop.{name}")
    assert module.RUNS is values["RUNS"]
    assert (module.PLACE, shop.origin("RUNS", shop.load())) == (f"shop.{name}", f"shop/{name}.py:1")
    module.RUNS.append(2)
    assert shop.load().values["RUNS"] == [1, 2]


@pytest.mark.parametrize("files", [{"shop/__init__.py": ""}, {}])
def test_a_failure_shows_no_secret(shop, package, files):
    """Secrets of the file, the environment and the arguments are masked in what it raises."""
    package(files)
    shop.write(
        "shop/settings.py",
        f"SECRET_KEY = {GOOD!r}\nraise ValueError([SECRET_KEY, {OTHER!r}, 'tulip\\\\x', 'oak'])\n",
    )
    shop.environ["SHOP_SECRET_KEY_FALLBACKS"] = f"{OTHER},x"
    assert shop.problems({"CACHE": {"password": "tulip\\x"}})[0] == (
        "shop/settings.py:2 raised ValueError: ['********', '********', '********', 'oak']"
    )


def test_a_package_that_fails_is_told_with_its_line(shop, package):
    """Importing the settings imports the package around them."""
    package({"shop/__init__.py": "\nimport json\njson.loads('{')\n", "shop/settings.py": ""})
    (problem,) = shop.problems()
    assert problem.startswith("shop/__init__.py:3 raised JSONDecodeError: ")


def test_a_file_is_executed_once(shop):
    """A settings file that the environment names as well runs once, and counts at both places."""
    path = shop.write(
        "shop/settings.py",
        """\
        from pathlib import Path

        with Path("runs").open("a") as runs:
            runs.write("x")
        GREETING = 1
        """,
    )
    shop.write("instance/config.py", "GREETING = 2\n")
    shop.environ["SHOP_CONFIG"] = str(path)
    assert shop.load().values["GREETING"] == 1
    assert (shop.folder / "runs").read_text() == "x"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A = 1\nB = (\n", "shop/settings.py:2 is not valid Python: '(' was never closed"),
        ("A = 1\nB = 1 / 0\n", "shop/settings.py:2 raised ZeroDivisionError: division by zero"),
        (
            "def f():\n    return {}['x']\n\nA = f()\n",
            "shop/settings.py:2 raised KeyError: 'x'",
        ),
        ("import json\nA = json.loads('{')\n", "shop/settings.py:2 raised JSONDecodeError: "),
        ("A = '\0'\n", "shop/settings.py:1 is not valid Python: source code string cannot"),
        ("import nowhere_at_all\n", "shop/settings.py:1 raised ModuleNotFoundError: No module"),
    ],
)
def test_a_python_file_that_fails_is_told_with_its_line(shop, text, problem):
    """Syntax errors and exceptions are one sentence."""
    shop.write("shop/settings.py", text)
    (found,) = shop.problems()
    assert found.startswith(problem)


@pytest.mark.parametrize("file", ["shop/settings.py", "instance/config.py"])
def test_a_python_file_cannot_end_the_process(shop, file):
    """A file that exits is named with its line, as one that raises is."""
    shop.write(file, "A = 1\nraise SystemExit(5)\n")
    assert shop.problems() == (f"{file}:2 raised SystemExit: 5",)
