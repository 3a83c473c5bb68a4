"""The log of a Gnar app: level, format, and the lines at its start."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from .conftest import Make

Output = pytest.CaptureFixture[str]


def test_lines_at_the_start(make: Make, capfd: Output) -> None:
    """The level, the place of every blueprint and the name are logged, in this order."""
    app = make()
    app.boot()
    app.announce()
    lines = [line.split("   ")[-1] for line in capfd.readouterr().out.splitlines()]
    assert lines.pop(1).startswith("Argon2 PasswordHasher instantiated with {'time_cost': 2")
    assert lines == [
        "Logging at INFO",
        "Listening on /admin",
        "Listening on /user",
        "Gnar-Shop is up",
    ]


def test_line_of_the_development_server(make: Make, capfd: Output) -> None:
    """In development the last line says so."""
    app = make(production=False)
    app.boot()
    app.announce()
    assert capfd.readouterr().out.rstrip().endswith("Gnar-Shop development server is up")


@pytest.mark.parametrize("production", [True, False])
def test_format(make: Make, capfd: Output, production: bool) -> None:
    """In both modes a line is Gnar's: time with milliseconds, level, logger, line, message."""
    make(production=production).boot()
    line = capfd.readouterr().out.splitlines()[0]
    form = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO     buttress\.gnar:\d+   Logging at INFO"
    assert re.fullmatch(form, line)


@pytest.mark.parametrize("name", [None, "some.library"])
def test_any_logger(make: Make, capfd: Output, name: str | None) -> None:
    """What any logger says is written, since the root logger is attached."""
    make().boot()
    logging.getLogger(name).warning("No snow")
    assert capfd.readouterr().out.endswith("   No snow\n")


def test_own_format(make: Make, capfd: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parts of the format are variables."""
    monkeypatch.setenv("GNAR_LOG_FORMAT", "%(asctime)s|%(message)s")
    monkeypatch.setenv("GNAR_LOG_FORMAT_MSEC", "%s-%03d")
    make().boot()
    line = capfd.readouterr().out.splitlines()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d-\d{3}\|Logging at INFO", line)


@pytest.mark.parametrize(
    ("argument", "variables", "expected"),
    [
        ("DEBUG", {"GNAR_MY_APP_LOG_LEVEL": "ERROR", "GNAR_LOG_LEVEL": "WARNING"}, "DEBUG"),
        (None, {"GNAR_MY_APP_LOG_LEVEL": "ERROR", "GNAR_LOG_LEVEL": "WARNING"}, "ERROR"),
        (None, {"GNAR_LOG_LEVEL": "WARNING", "GNAR_OTHER_LOG_LEVEL": "DEBUG"}, "WARNING"),
        (None, {}, "INFO"),
    ],
)
def test_level(
    make: Make,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    argument: str | None,
    variables: dict[str, str],
    expected: str,
) -> None:
    """The argument counts before the app's own variable, and that before the general one."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (shop / "my_app").mkdir()
    app = make("my_app", log_level=argument)
    app.boot()
    assert app.settings.log.level == logging.getLevelName(logging.getLogger().level) == expected


def test_level_with_another_prefix(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a prefix of its own an application does not look at Gnar's variables."""
    monkeypatch.setenv("GNAR_LOG_LEVEL", "ERROR")
    monkeypatch.setenv("MY_APP_LOG_LEVEL", "WARNING")
    app = make(env_prefix="MY_APP")
    app.boot()
    assert app.settings.log.level == "WARNING"


def test_level_counts(make: Make, capfd: Output) -> None:
    """Records below the level are not written."""
    make(log_level="WARNING").boot()
    assert capfd.readouterr().out == ""


def test_two_apps_do_not_double_lines(make: Make, capfd: Output) -> None:
    """However many applications there are, a record is one line."""
    make().boot()
    capfd.readouterr()
    app = make()
    app.boot()
    app.announce()
    lines = [line.split("   ")[-1] for line in capfd.readouterr().out.splitlines()]
    assert lines.count("Gnar-Shop is up") == lines.count("Logging at INFO") == 1
