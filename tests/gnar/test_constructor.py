"""What `GnarApp(…)` takes, and what it leaves for later."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.test import Client

from buttress import ConfigError, SetupError
from buttress.gnar import GnarApp
from buttress.lifecycle import State

from .conftest import Make


def test_is_its_own_flask(make: Make) -> None:
    """``app.flask`` is the application itself."""
    app = make()
    assert app.flask is app


@pytest.mark.usefixtures("shop")
def test_takes_everything_by_position() -> None:
    """The optional arguments come in the documented order, after the three required ones."""
    app = GnarApp("shop", True, 80, "MY_APP", "DEBUG", ["user"], True, True, None)
    assert sorted(app.test_client().application.blueprints) == ["user"]
    assert (app.config["PORT"], app.config["LOG_LEVEL"]) == (80, "DEBUG")
    app.close()


def test_stays_open(make: Make, shop: Path) -> None:
    """Construction loads no module and reads no setting, so it succeeds where the boot does not."""
    (shop / "shop" / "app" / "user" / "apis.py").write_text("raise RuntimeError", encoding="utf-8")
    (shop / "shop" / "settings.py").write_text("NONSENSE =", encoding="utf-8")
    assert make().lifecycle.state is State.OPEN


def test_first_request(make: Make) -> None:
    """The first request of a container that is not ours boots it."""
    app = make()
    assert Client(app).get("/user/get").get_json() == {"status": "ok"}
    assert app.lifecycle.state is State.SERVING


@pytest.mark.parametrize(
    ("name", "shown"), [("shop", "Shop"), ("my_app", "MyApp"), ("a_b_c", "ABC")]
)
def test_display_name(make: Make, shop: Path, name: str, shown: str) -> None:
    """The name is shown in title case, without underscores."""
    (shop / name).mkdir(exist_ok=True)
    assert make(name).display_name == shown


def test_wrong_arguments(make: Make) -> None:
    """A ``production`` that is no flag and an ``sqs`` that is no queue are told together."""
    with pytest.raises(ConfigError) as told:
        make(production="yes", sqs="gnar-queue")
    assert len(told.value.problems) == 2
    assert "production='yes' must be True or False" in str(told.value)
    assert "sqs='gnar-queue' must be a dict" in str(told.value)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"port": 99999}, "PORT"),
        ({"port": "eighty"}, "PORT"),
        ({"log_level": "LOUD"}, "LOG_LEVEL"),
    ],
)
def test_wrong_settings(make: Make, more: dict[str, object], named: str) -> None:
    """A port out of range and an unknown level stop the boot, and the message names the setting."""
    with pytest.raises(ConfigError, match=named):
        make(**more).boot()


def test_levels_are_named(make: Make) -> None:
    """The message about an unknown level names those that there are."""
    with pytest.raises(ConfigError) as told:
        make(log_level="LOUD").boot()
    for level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        assert level in str(told.value)


def test_unknown_package(make: Make) -> None:
    """A name that is no package is told at once, with what to do."""
    with pytest.raises(SetupError, match="There is no package 'shoop'"):
        make("shoop")
