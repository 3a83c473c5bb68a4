"""The boot: one list, in one order, and nothing half-started."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import flask
import pytest

from buttress import ConfigError, Extension, Service, SetupError, create_app
from buttress.boot import BOOT
from buttress.errors import DiscoveryError, ExtensionError
from buttress.lifecycle import State

Package = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def shop(package: Package) -> Path:
    """Give the folder of an empty package ``shop``."""
    return package({"shop/__init__.py": ""})


def test_the_sequence_is_literal() -> None:
    """The order is the documented one."""
    assert [step.__name__ for step in BOOT] == [
        "preconfig", "configure", "build_extensions", "attach_instance", "request_hooks",
        "discover", "postconfig",
    ]  # fmt: skip


def test_create_app_boots_before_it_returns(shop: Path) -> None:
    """The caller gets a booted service, and booting again changes nothing."""
    app = create_app("shop", extensions=[])
    parts = list(app.lifecycle.parts)
    app.boot()
    assert (app.lifecycle.state, app.lifecycle.parts) == (State.BOOTED, parts)


def test_the_default_set_is_built_in_order(shop: Path) -> None:
    """None means log, web, security, cors, templates and health."""
    app = create_app("shop")
    names = [part.name for part in app.lifecycle.parts]
    app.close()
    assert names == ["log", "web", "security", "cors", "templates", "health"]


def test_the_hooks_frame_the_boot(shop: Path) -> None:
    """preconfig is first and postconfig last; a subclass replaces them."""
    seen: list[tuple[str, bool]] = []

    class Shop(Service):
        def preconfig(self) -> None:
            seen.append(("pre", "settings" in self.__dict__))

        def postconfig(self) -> None:
            seen.append(("post", "settings" in self.__dict__))

    app = Shop("shop")
    app.plan = create_app("shop", extensions=[]).plan
    app.boot()
    assert seen == [("pre", False), ("post", True)]


def test_nothing_starts_before_start(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The boot opens no socket and starts no thread."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("too early")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    create_app("shop").close()


def test_a_failing_extension_closes_those_before_it(shop: Path) -> None:
    """A boot that fails leaves nothing half-started."""
    closed: list[str] = []

    class First(Extension[None, str]):
        name = "first"

        def build(self, app: Service, settings: None) -> str:
            return "first"

        def close(self, it: str) -> None:
            closed.append(it)

    class Second(Extension[None, str]):
        name = "second"

        def build(self, app: Service, settings: None) -> str:
            raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        create_app("shop", extensions=[First, Second])
    assert closed == ["first"]


def test_what_is_set_while_open_counts(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings may be changed in app.config until the boot; the environment is weaker."""
    monkeypatch.setenv("SHOP_PORT", "9001")
    key = "0123456789abcdef" * 3
    app = Service("shop")
    app.plan = create_app("shop", extensions=[]).plan
    app.secret_key = key
    app.config["PORT"] = 9002
    app.boot()
    assert (app.secret_key, app.settings.serving.port) == (key, 9002)


@pytest.mark.parametrize("config", [[("A", 1)], "A=1", 3])
def test_config_must_be_a_mapping(shop: Path, config: Any) -> None:
    """Anything else is refused by name."""
    with pytest.raises(ConfigError, match="config"):
        create_app("shop", config=config)


def test_the_prefix_of_the_environment_can_be_chosen(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default it is the name, in upper case."""
    monkeypatch.setenv("SHOP_PORT", "9001")
    monkeypatch.setenv("CAFE_PORT", "9002")
    assert create_app("shop", extensions=[]).settings.serving.port == 9001
    assert create_app("shop", extensions=[], env_prefix="CAFE").settings.serving.port == 9002


def test_the_instance_folder_can_be_moved(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable moves it, and the argument wins over the variable."""
    (tmp_path / "there").mkdir()
    monkeypatch.setenv("SHOP_INSTANCE_PATH", str(tmp_path / "there"))
    there = create_app("shop", extensions=[]).instance_path
    here = create_app("shop", extensions=[], instance_path=str(tmp_path / "here")).instance_path
    assert (there, here) == (str(tmp_path / "there"), str(tmp_path / "here"))


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a secret key that the environment has."""
    monkeypatch.setenv("SHOP_SECRET_KEY", "0123456789abcdef" * 3)
    return "0123456789abcdef" * 3


def test_a_secret_leaves_the_environment_while_its_application_lives(
    shop: Path, secret: str
) -> None:
    """It serves the application, and is back for the next one."""
    app = create_app("shop", extensions=[])
    left, known = "SHOP_SECRET_KEY" not in os.environ, app.secret_key
    app.close()
    assert (left, known, os.environ["SHOP_SECRET_KEY"]) == (True, secret, secret)


def test_a_boot_that_fails_gives_the_secret_back(
    shop: Path, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the mistake is mended the next boot has it."""
    monkeypatch.setenv("SHOP_PORT", "http")
    with pytest.raises(ConfigError, match="PORT"):
        create_app("shop", extensions=[])
    monkeypatch.setenv("SHOP_PORT", "8000")
    app = create_app("shop", extensions=[])
    assert app.secret_key == secret
    app.close()


def test_the_parent_of_flasks_reloader_keeps_the_environment(
    shop: Path, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its child is given the environment as it is, and must find the secret there."""
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    create_app("shop", extensions=[]).close()
    assert os.environ["SHOP_SECRET_KEY"] == secret


def test_applications_that_boot_at_once_all_have_the_secret(shop: Path, secret: str) -> None:
    """None looks at the environment while another one takes the secret out of it."""
    with ThreadPoolExecutor(8) as pool:
        apps = list(pool.map(lambda _: create_app("shop", extensions=[]), range(24)))
    assert [app.secret_key for app in apps] == [secret] * 24
    for app in apps:
        app.close()


def test_a_module_that_fails_shows_no_secret(
    package: Package, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    """The text of its error is shown without the declared secrets."""
    fails = "from shop.app.main import app\nraise ValueError(app.config['SECRET_KEY'])"
    package({"shop/app/main.py": "", "shop/app/bad.py": fails})
    with pytest.raises(DiscoveryError, match=r"ValueError: \*{8}") as caught:
        create_app("shop", extensions=[])
    assert secret not in str(caught.value)


def test_the_application_is_reached_while_it_closes(package: Package) -> None:
    """An extension may need its application to let go of what it holds."""
    package({"shop/app/main.py": ""})
    seen: list[str] = []

    class Flush(Extension[None, str]):
        name = "flush"

        def build(self, app: Service, settings: None) -> str:
            return "flush"

        def close(self, it: str) -> None:
            seen.append(import_module("shop.app.main").app.name)

    create_app("shop", extensions=[Flush]).close()
    assert seen == ["shop"]


def test_flask_options_reach_flask(shop: Path) -> None:
    """What Flask's constructor takes, create_app takes."""
    app = create_app("shop", extensions=[], static_url_path="/assets")
    assert app.static_url_path == "/assets"


def test_a_package_needs_no_init(package: Package) -> None:
    """Folders of modules are enough, and the instance folder is beside them."""
    root = package({"resort/app/main.py": "", "resort/templates/a.txt": "snow"})
    (root / "resort/__init__.py").unlink()
    (root / "resort/app/__init__.py").unlink()
    app = create_app("resort", extensions=[])
    assert (app.root_path, app.instance_path) == (str(root / "resort"), str(root / "instance"))
    with app.app_context():
        assert flask.render_template("a.txt") == "snow"


def test_several_apps_in_one_process_do_not_mix(shop: Path) -> None:
    """Each has its own settings, extensions and configuration."""
    first = create_app("shop", config={"LOG_LEVEL": "ERROR"})
    second = create_app("shop", config={"LOG_LEVEL": "DEBUG"})
    levels = (first.settings.log.level, second.settings.log.level)
    separate = first.log is not second.log and first.extensions is not second.extensions
    first.close()
    second.close()
    assert levels == ("ERROR", "DEBUG")
    assert separate


def test_a_missing_package_is_a_setup_error() -> None:
    """There is no half-made application of a package that does not exist."""
    with pytest.raises(SetupError, match="no package 'nowhere_at_all'"):
        create_app("nowhere_at_all")


class Lifts:
    """What an extension builds, with something for the application itself."""

    def ride(self) -> str:
        """Ride."""
        return "up"


class LiftsExtension(Extension[Any, Lifts]):
    """Provides ``app.ride`` beside ``app.lifts``."""

    name = "lifts"
    provides = ("ride",)

    def build(self, app: Service, settings: Any) -> Lifts:
        """Make it."""
        return Lifts()


class Runs(LiftsExtension):
    """Provides what Flask has."""

    name = "runs"
    provides = ("run",)


def test_what_an_extension_provides(package: Package) -> None:
    """The application has what an extension provides beside itself."""
    package({"shop/__init__.py": ""})
    app = create_app("shop", extensions=[LiftsExtension])
    assert app.ride() == app.lifts.ride() == "up"  # type: ignore[attr-defined]  # made at run time
    app.close()


def test_what_an_extension_may_not_provide(package: Package) -> None:
    """An attribute of Flask's is nobody's to provide."""
    package({"shop/__init__.py": ""})
    with pytest.raises(ExtensionError, match="cannot provide 'run': that is an attribute"):
        create_app("shop", extensions=[Runs])
