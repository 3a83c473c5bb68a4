"""``from <package>.app.main import app`` in every way that a service is started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from buttress import LifecycleError, Service, SetupError, create_app
from buttress.errors import DiscoveryError

Package = Callable[[Mapping[str, str]], Path]


def make(name: str = "shop", **options: Any) -> Service:
    return create_app(name, extensions=[], **options)


@pytest.mark.parametrize("module", ["shop.app.main", "shop.main"])
@pytest.mark.parametrize(
    "files",
    [{"shop/app/main.py": "here = 1"}, {"shop/main.py": "here = 1"}, {"shop/__init__.py": ""}],
)
def test_both_names_give_the_app(package: Package, module: str, files: dict[str, str]) -> None:
    """Whether the file exists or not, in either layout."""
    package(files)
    app = make()
    assert import_module(module).app._get_current_object() is app


def test_a_main_module_keeps_what_it_defines(package: Package) -> None:
    """Attaching loads the real module, so its other names are there."""
    package({"shop/app/main.py": "colour = 'blue'"})
    make()
    assert import_module("shop.app.main").colour == "blue"
    assert import_module("shop.app").main.colour == "blue"


def test_main_may_import_modules_that_want_the_app(package: Package) -> None:
    """The name is there already while main itself is being loaded."""
    package(
        {
            "shop/app/main.py": "from shop.app import services",
            "shop/app/services.py": "from shop.app.main import app\nname = lambda: app.name",
        }
    )
    make()
    assert import_module("shop.app.services").name() == "shop"


def test_two_apps_of_one_package_do_not_mix(package: Package) -> None:
    """In a context the current app, outside the last one booted."""
    package({"shop/app/main.py": ""})
    first, second = make(config={"COLOUR": "red"}), make(config={"COLOUR": "blue"})
    app = import_module("shop.app.main").app
    assert app.config["COLOUR"] == "blue"
    with first.app_context():
        assert app.config["COLOUR"] == "red"
    with second.app_context():
        assert app.config["COLOUR"] == "blue"


def test_two_packages_do_not_mix(package: Package) -> None:
    """In a context of another package, the name still means its own."""
    package({"shop/app/main.py": "", "cafe/app/main.py": ""})
    shop, cafe = make("shop"), make("cafe")
    with cafe.app_context():
        assert import_module("shop.app.main").app.name == shop.name
        assert import_module("cafe.app.main").app.name == cafe.name


def test_a_broken_main_stops_the_boot(package: Package) -> None:
    """It is named like any other module, and is not left half-loaded."""
    package({"shop/app/main.py": "raise OSError('no disk')"})
    with pytest.raises(DiscoveryError, match=r"shop\.app\.main does not load: OSError: no disk"):
        make()
    assert "shop.app.main" not in sys.modules


def test_an_error_in_the_package_around_main_is_named(package: Package) -> None:
    """An __init__ that fails is like any module that fails."""
    package({"shop/app/__init__.py": "import nowhere_at_all", "shop/app/main.py": ""})
    with pytest.raises(DiscoveryError, match="No module named 'nowhere_at_all'"):
        make()


def test_an_application_that_ended_is_not_the_last(package: Package) -> None:
    """The name falls back to the last application that lives, and says so where there is none."""
    package({"kiosk/app/main.py": ""})
    first, second = make("kiosk"), make("kiosk")
    app = import_module("kiosk.app.main").app
    second.close()
    assert app._get_current_object() is first
    first.close()
    with pytest.raises(LifecycleError, match="no application of kiosk now"):
        _ = app.name


def test_an_application_that_failed_is_not_the_last(package: Package) -> None:
    """A boot that ends in an error leaves the one before it in place."""
    package({"shop/app/main.py": ""})
    good = make()

    class Bad(Service):
        def postconfig(self) -> None:
            raise OSError("no disk")

    bad = Bad("shop")
    bad.plan = good.plan
    with pytest.raises(OSError, match="no disk"):
        bad.boot()
    assert import_module("shop.app.main").app._get_current_object() is good


@pytest.mark.parametrize("name", ["__main__", "hello"])
def test_a_single_file_is_no_package(package: Package, name: str) -> None:
    """What Flask's users write first is answered with what to write instead."""
    package({"hello.py": ""})
    with pytest.raises(SetupError, match=r"single file.*use Service\(__name__\)"):
        make(name)


@pytest.mark.parametrize("name", ["nowhere_at_all", "shop.nothing"])
def test_an_unknown_package_is_named(package: Package, name: str) -> None:
    """The message says where to start."""
    package({"shop/__init__.py": ""})
    with pytest.raises(SetupError, match=f"no package '{name}': give the import name"):
        make(name)


MAIN = """
from buttress import create_app
runs = globals().get("runs", 0) + 1
if __name__ == "__main__":
    app = create_app("shop", extensions=[])
    from shop.app.user import apis
    print(apis.app.name, apis.main.runs, apis.main.__name__, apis.app.blueprints)
"""
APIS = "from shop.app.main import app\nimport shop.app.main as main"


@pytest.mark.parametrize("command", [["-m", "shop.app.main"], ["shop/app/main.py"]])
def test_main_runs_once_as_a_script(package: Package, command: list[str]) -> None:
    """Run as ``__main__``, the file is known under its real name and not run again."""
    folder = package({"shop/app/main.py": MAIN, "shop/app/user/apis.py": APIS})
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("shop 1 __main__ {}\n", "")
