"""`make_app`: an application in mode testing, for the time of a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from buttress import ConfigError, LifecycleError, Service, create_app
from buttress.config import COMMAND_LINE, VAULT
from buttress.gnar import GnarApp
from buttress.lifecycle import State
from buttress.testing import make_app

Package = Callable[[Mapping[str, str]], Path]


@pytest.fixture(autouse=True)
def shop(package: Package) -> None:
    package({"shop/__init__.py": "", "shop/settings.py": "PORT = 8001"})


def test_factory() -> None:
    """A factory makes an application in mode testing, which is closed afterwards."""
    with make_app(lambda: create_app("shop")) as app:
        assert (app.mode, app.testing, app.settings.serving.port) == ("testing", True, 8001)
        assert app.test_client().get("/").status_code == 404
    assert app.lifecycle.state is State.CLOSED


def test_application() -> None:
    """An application that is open is booted in mode testing, whatever its arguments say."""
    it = GnarApp("shop", production=True, port=8000, no_db=True, no_jwt=True)
    with make_app(it) as app:
        assert (app is it, app.mode) == (True, "testing")


def test_settings() -> None:
    """The settings given are above every other source, and only for this application."""
    with make_app(lambda: create_app("shop", config={"PORT": 1}), PORT=2) as app:
        assert app.settings.serving.port == 2
        assert COMMAND_LINE.get() == {}


def test_secret() -> None:
    """Sessions can be signed, with another key each time."""
    keys = []
    for _ in range(2):
        with make_app(lambda: create_app("shop")) as app:
            keys.append(app.secret_key)
    assert all(keys)
    assert keys[0] != keys[1]


def test_lives_once() -> None:
    """An application that was closed cannot be used again."""
    app = GnarApp("shop", production=True, port=0, no_db=True, no_jwt=True)
    with make_app(app):
        assert isinstance(app, Service)
    with pytest.raises(LifecycleError, match="is closed: give make_app"), make_app(app):
        pytest.fail("it was given all the same")


def test_a_booted_application_is_refused() -> None:
    """Its settings are read already, so it would be tested in the wrong mode."""
    app = create_app("shop")
    with pytest.raises(LifecycleError, match="is booted: give make_app"), make_app(app, PORT=1):
        pytest.fail("it was given all the same")
    app.close()


def test_closed_after_a_failure() -> None:
    """The application is closed also where the test fails."""
    with pytest.raises(OSError, match="no"), make_app(lambda: create_app("shop")) as app:
        raise OSError("no")
    assert app.lifecycle.state is State.CLOSED


KEY = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab91"


def test_secrets_of_earlier_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one application took out of the environment, the next one does not get."""
    with monkeypatch.context() as patched:
        patched.setenv("SHOP_SECRET_KEY_FALLBACKS", KEY)
        with make_app(lambda: create_app("shop")) as app:
            assert app.config["SECRET_KEY_FALLBACKS"] == [KEY]
    assert VAULT.environ() == {}
    with make_app(lambda: create_app("shop")) as app:
        assert app.config["SECRET_KEY_FALLBACKS"] is None


def test_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in the environment is there for every application, one after the other."""
    monkeypatch.setenv("SHOP_SECRET_KEY_FALLBACKS", KEY)
    for _ in range(2):
        with make_app(lambda: create_app("shop")) as app:
            assert "SHOP_SECRET_KEY_FALLBACKS" not in os.environ
            assert app.config["SECRET_KEY_FALLBACKS"] == [KEY]
        assert os.environ["SHOP_SECRET_KEY_FALLBACKS"] == KEY


def test_environment_is_kept_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application that does not boot leaves the environment and the vault as they were."""
    monkeypatch.setenv("SHOP_SECRET_KEY_FALLBACKS", KEY)
    with pytest.raises(ConfigError), make_app(lambda: create_app("shop"), PORT=-1):
        pytest.fail("it booted all the same")
    assert os.environ["SHOP_SECRET_KEY_FALLBACKS"] == KEY
    assert VAULT.environ() == {}
