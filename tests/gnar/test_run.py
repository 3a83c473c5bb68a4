"""`GnarApp.run`, in processes of their own."""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from buttress import LifecycleError
from buttress.lifecycle import State
from buttress.loading import recording
from tests.servers import require_server
from tools.running import Running

from .conftest import USER, Make
from .process import LOG, MAIN, MAIN_WITH_A_STEP, finished, started, write_main

MODULE = ("-m", "shop.app.main")
SCRIPT = ("shop/app/main.py",)


@pytest.mark.parametrize(
    ("arguments", "text", "server"),
    [(MODULE, MAIN, "granian"), (SCRIPT, MAIN_WITH_A_STEP, "bjoern")],
    ids=["module", "script"],
)
def test_serves(shop: Path, arguments: tuple[str, ...], text: str, server: str) -> None:
    """The documented lines serve, as a module and as a script, and end with 0 on SIGTERM."""
    require_server(server)
    port = write_main(shop, production=True, text=text)
    with started(shop, port, *arguments, GNAR_SERVER=server) as service:
        assert json.loads(service.ask("/user/get")[1]) == {"status": "ok"}
        assert service.stop() == 0
    log = (shop / LOG).read_text(encoding="utf-8")
    assert log.count("Gnar-Shop is up") == log.count("Listening on /user") == 1
    assert log.count("My Postconfig Step!") == text.count("My Postconfig Step!")


def test_serves_in_development(shop: Path) -> None:
    """In development they start the development server, which ends with 0 as well."""
    port = write_main(shop, production=False)
    with started(shop, port, *MODULE) as service:
        assert json.loads(service.ask("/user/get")[1]) == {"status": "ok"}
        assert service.stop() == 0
    assert "Gnar-Shop development server is up" in (shop / LOG).read_text(encoding="utf-8")


def test_mended_while_it_serves(shop: Path) -> None:
    """A module that the development server could not load is served once it is mended."""
    module = shop / "shop" / "app" / "user" / "apis.py"
    module.write_text("this is no Python\n", encoding="utf-8")
    port = write_main(shop, production=False)
    with started(shop, port, *MODULE) as service:
        assert answer(service, "/admin") == {"status": "admin"}
        module.write_text(dedent(USER), encoding="utf-8")
        end = time.monotonic() + 20
        while answer(service, "/user/get") != {"status": "ok"} and time.monotonic() < end:
            time.sleep(0.1)
        assert answer(service, "/user/get") == {"status": "ok"}
    assert "SyntaxError" in (shop / LOG).read_text(encoding="utf-8")


def answer(service: Running, path: str) -> object:
    """Ask for JSON; ``None`` while nobody listens."""
    try:
        return json.loads(service.ask(path)[1])
    except (OSError, ValueError):
        return None


def test_port_in_use(shop: Path) -> None:
    """A port that is taken is told in one sentence, and the process ends with 2."""
    port = write_main(shop, production=True)
    with socket.create_server(("127.0.0.1", port)):
        ended = finished(shop, sys.executable, *MODULE)
    assert ended.returncode == 2
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("production", [True, False])
def test_mistake(shop: Path, production: bool) -> None:
    """A wrong setting is told in one sentence, and the process ends with 2."""
    write_main(shop, production=production)
    ended = finished(shop, sys.executable, *MODULE, GNAR_LOG_LEVEL="LOUD")
    assert ended.returncode == 2
    assert ended.stderr.startswith("buttress: ")
    assert "LOG_LEVEL" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_flask_command(shop: Path) -> None:
    """Flask's own command finds the application of a main module that runs it without a name."""
    write_main(shop, production=True)
    ended = finished(shop, sys.executable, "-m", "flask", "--app", "shop.app.main", "routes")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "/user/get" in ended.stdout


@pytest.mark.parametrize("production", [True, False])
def test_inside_another_boot(make: Make, shop: Path, production: bool) -> None:
    """Two lines that another application of the package loads are told apart from its own."""
    write_main(shop, production=production)
    with pytest.raises(LifecycleError, match="a module that shop loads makes or runs"):
        make(production=production).boot()


def test_loading(make: Make) -> None:
    """While a command only loads it, an application that runs is noted and stays open."""
    app = make()
    with recording() as apps:
        app.run()
    assert apps == [app]
    assert app.lifecycle.state is State.OPEN
