"""Where a Gnar app's settings come from, and which source wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.config import COMMAND_LINE

from .conftest import Make


def test_arguments_beat_the_environment(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said in the code is not changed by variables."""
    monkeypatch.setenv("GNAR_PORT", "9000")
    monkeypatch.setenv("GNAR_MODE", "development")
    monkeypatch.setenv("GNAR_SHOP_LOG_LEVEL", "ERROR")
    app = make(port=8080, log_level="WARNING")
    app.boot()
    settings = app.settings
    found = (settings.serving.port, settings.service.mode, settings.log.level)
    assert found == (8080, "production", "WARNING")


def test_the_command_line_beats_arguments(make: Make) -> None:
    """What is said on the command line counts, and a mode brings its presets."""
    token = COMMAND_LINE.set({"PORT": "9000", "MODE": "development"})
    try:
        app = make(port=8080)
        app.boot()
    finally:
        COMMAND_LINE.reset(token)
    assert (app.settings.serving.port, app.mode) == (9000, "development")
    assert app.settings.cors.origins == ("*",)


def test_gnars_own_defaults(make: Make) -> None:
    """Errors and log lines are in Gnar's style, and the server is the production one."""
    app = make()
    app.boot()
    settings = app.settings
    found = (settings.web.errors_style, settings.log.style, settings.serving.server)
    assert found == ("gnar", "text", "granian")


def test_files_beat_the_defaults(make: Make, shop: Path) -> None:
    """The package's settings change Gnar's defaults, and the environment changes those."""
    (shop / "shop" / "settings.py").write_text('ERRORS_STYLE = "problem"\n', encoding="utf-8")
    app = make()
    app.boot()
    assert app.settings.web.errors_style == "problem"


@pytest.mark.parametrize("production", [True, False])
def test_the_environment_beats_the_defaults(
    make: Make, monkeypatch: pytest.MonkeyPatch, production: bool
) -> None:
    """Variables change Gnar's defaults: ``GNAR_SERVER=bjoern`` chooses the documented server."""
    monkeypatch.setenv("GNAR_SERVER", "bjoern")
    monkeypatch.setenv("GNAR_LOG_STYLE", "json")
    monkeypatch.setenv("GNAR_ERRORS_STYLE", "problem")
    app = make(production=production)
    app.boot()
    settings = app.settings
    found = (settings.serving.server, settings.log.style, settings.web.errors_style)
    assert found == ("bjoern", "json", "problem")


def test_reserved_variables(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Documented variables whose extension is not there are nobody's mistake."""
    for name in ("ARGON2_TIME_COST", "PG_ENDPOINT", "SES_REGION_NAME", "SQS_REGION_NAME"):
        monkeypatch.setenv(f"GNAR_{name}", "4")
    monkeypatch.setenv("GNAR_JWT_ACCESS_TOKEN_EXPIRES_MINUTES", "15")
    monkeypatch.setenv("GNAR_POWDER_SERVICE_PORT", "127.0.0.1:9401")
    make().boot()
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_odd_variables_are_logged(
    make: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A variable that nobody declares is warned of, once the log is there."""
    monkeypatch.setenv("GNAR_SNOWFALL", "12")
    make().boot()
    lines = capfd.readouterr().out.splitlines()
    assert "Logging at INFO" in lines[0]
    assert "WARNING" in lines[1]
    assert "GNAR_SNOWFALL" in lines[1]


def test_kubernetes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes' variables for services are never settings."""
    monkeypatch.setenv("GNAR_PORT", "tcp://10.0.0.1:80")
    monkeypatch.setenv("SHOP_PORT", "tcp://10.0.0.1:80")
    app = make(port=8080)
    app.boot()
    assert app.config["PORT"] == 8080
