"""``buttress run``: serves until a signal, and never half-starts."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from socket import socket
from threading import Timer
from urllib.request import urlopen

import pytest

from tests.cli.process import PATIENCE, call, serving, stop
from tests.cli.shop import SHOP, Run, Write

SETTINGS_VIEW = """
    from flask import Blueprint, current_app

    blueprint = Blueprint("goods", __name__)

    @blueprint.get("/serving")
    def show():
        serving = current_app.settings.serving
        return {"workers": serving.workers, "threads": serving.threads, "mode": current_app.mode}

    @blueprint.get("/secret")
    def secret():
        return {"is": current_app.secret_key}
"""
QUICK = ("--set", "DRAIN_GRACE=0.1")


def fetch(url: str) -> object:
    with urlopen(url, timeout=5) as answer:
        return json.loads(answer.read())


def test_options_become_settings(project: Write) -> None:
    """The options are settings, above every other source."""
    folder = project({**SHOP, "shop/api.py": SETTINGS_VIEW, "shop/settings.py": "THREADS = 4"})
    options = ("--workers", "2", "--threads", "3", "--server", "granian", *QUICK)
    with serving(folder, *options) as (process, url):
        assert fetch(f"{url}/serving") == {"workers": 2, "threads": 3, "mode": "production"}
        assert stop(process) == 0


def test_interrupt(shop: Path) -> None:
    """Ctrl-C ends it with exit code 0, without a traceback."""
    with serving(shop, *QUICK) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert "Traceback" not in (shop / "server.log").read_text()


def test_development(project: Write) -> None:
    """With --dev the mode is development, and a file that changes is loaded again."""
    folder = project({**SHOP, "shop/api.py": SETTINGS_VIEW})
    with serving(folder, "--dev") as (process, url):
        assert fetch(f"{url}/serving") == {"workers": 1, "threads": 16, "mode": "development"}
        api = folder / "shop" / "api.py"
        api.write_text(api.read_text().replace("current_app.mode", "'changed'"))
        wait_for(f"{url}/serving", "changed")
        assert stop(process) == 0


def wait_for(url: str, text: str) -> None:
    """Ask until the answer has a text in it."""
    end = time.monotonic() + PATIENCE
    answer = ""
    while text not in answer:
        assert time.monotonic() < end, answer
        time.sleep(0.1)
        try:
            answer = str(fetch(url))
        except OSError as error:
            answer = str(error)


def test_mode_of_a_file(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mode that a file says counts as well as --dev, and the secrets of the environment too."""
    monkeypatch.setenv("SHOP_SECRET_KEY", "pepper")
    folder = project(
        {**SHOP, "shop/api.py": SETTINGS_VIEW, "shop/settings.py": "MODE = 'development'"}
    )
    with serving(folder) as (process, url):
        assert "development" in str(fetch(f"{url}/serving"))
        assert fetch(f"{url}/secret") == {"is": "pepper"}
        assert stop(process) == 0


def test_main_module_is_mended(project: Write) -> None:
    """A main module that stops loading is watched until it is mended, whoever chose the mode."""
    folder = project({**SHOP, "shop/settings.py": "MODE = 'development'"})
    main = folder / "shop" / "flask.py"
    good = main.read_text()
    with serving(folder) as (process, url):
        main.write_text("app = (")
        wait_for(f"{url}/goods/x", "refused")
        main.write_text(good)
        wait_for(f"{url}/goods/x", "name")
        assert stop(process) == 0


def test_main_module_that_is_broken_at_first(project: Write) -> None:
    """With --dev a main module that does not load is waited for from the beginning."""
    folder = project({**SHOP, "shop/flask.py": "app = ("})
    mend = Timer(1.5, lambda: project({"shop/flask.py": SHOP["shop/flask.py"]}))
    mend.start()
    with serving(folder, "--dev") as (process, url):
        assert fetch(f"{url}/goods/x") == {"name": "x"}
        assert stop(process) == 0
    mend.join()


def test_port_in_use(shop: Path) -> None:
    """A port in use is named, with exit code 2."""
    with socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = call(shop, "run", "--host", "127.0.0.1", "--port", str(port))
    assert result.returncode == 2
    assert f"127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr


MISTAKES = [
    (("--app", "shop.nothing"), "There is no module 'shop.nothing'"),
    (("--app", "shop/flask.py"), "does not name an application"),
    (("--server", "graniam"), "Did you mean 'granian'?"),
    (("--port", "99999"), "PORT"),
    (("--workers", "0"), "WORKERS"),
    (("--port", "many"), "'many' is not a valid integer"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_mistakes(shop: Path, run: Run, arguments: tuple[str, ...], message: str) -> None:
    """A mistake is named, with exit code 2, and nothing serves."""
    result = run("run", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(("arguments", "message"), MISTAKES[::3])
def test_mistakes_in_development(shop: Path, arguments: tuple[str, ...], message: str) -> None:
    """A mistake that is in no module ends the development server too, without a traceback."""
    result = call(shop, "run", "--dev", *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr + result.stdout
