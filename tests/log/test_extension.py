from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest
import structlog
from flask.logging import default_handler

from buttress import ConfigError, Secret
from tests.log.lines import fields
from tests.services import Make

Out = pytest.CaptureFixture[str]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_methods_write_their_level(make: Make, caplog: Any, level: str) -> None:
    """Each method writes a record of its level, by the logger of the service."""
    getattr(make(LOG_LEVEL="DEBUG").log, level)("piste %s", "A", open=True)
    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == (
        "shop",
        level.upper(),
        "piste A",
    )
    assert record.values == {"open": True}


def test_exception_brings_the_traceback(make: Make, capsys: Out) -> None:
    """``exception`` writes the traceback of what is being handled."""
    log = make(LOG_STYLE="json").log
    try:
        raise ValueError("inside")
    except ValueError:
        log.exception("broken")
    (found,) = fields(capsys.readouterr().out)
    assert (found["msg"], found["error"]) == ("broken", "ValueError('inside')")


def test_bind(make: Make, capsys: Out) -> None:
    """A bound logger has its pairs in every record; so do structlog's context variables."""
    log = make(LOG_STYLE="json").log.bind(piste=7)
    with structlog.contextvars.bound_contextvars(skier="Ana"):
        log.warning("closed", reason="wind")
    assert fields(capsys.readouterr().out) == [
        {"msg": "closed", "skier": "Ana", "piste": 7, "reason": "wind"}
    ]


@pytest.mark.parametrize("bound", [False, True])
def test_record_names_the_caller(make: Make, caplog: Any, bound: bool) -> None:
    """File and line of a record are those of the code that logs."""
    log = make().log
    logger = log.bind(a=1) if bound else log
    logger.info("here")
    assert caplog.records[0].pathname == __file__
    assert caplog.records[0].funcName == "test_record_names_the_caller"


def test_pairs_may_have_any_name(make: Make, capsys: Out) -> None:
    """A pair called like an attribute of a record neither breaks nor replaces it."""
    make(LOG_STYLE="json").log.info("open", name="A", levelname="B", args="C", msg="D")
    (found,) = fields(capsys.readouterr().out)
    assert found == {"msg": "open", "name": "A", "levelname": "B", "args": "C"}


def test_broken_call(make: Make, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments that do not fit break nothing."""
    app = make(LOG_STYLE="json")
    monkeypatch.setattr(logging.getLogger(), "handlers", logging.getLogger().handlers[-1:])
    app.log.info("%d lifts", "many")
    assert fields(capsys.readouterr().out)[0]["msg"].startswith("'%d lifts' % ('many',)")


@pytest.mark.parametrize("style", ["json", "text", "console"])
def test_secrets_are_masked(make: Make, capsys: Out, style: str) -> None:
    """A secret is masked in message, pairs and whatever holds it."""
    hidden = Secret("correct horse")
    make(LOG_STYLE=style).log.warning("key %s", hidden, key=hidden, keys=[hidden])
    out = capsys.readouterr().out
    assert "correct" not in out
    assert out.count("********") == 3


@pytest.mark.parametrize(
    ("mode", "style"), [("production", "json"), ("development", "console"), ("testing", "console")]
)
def test_style_by_mode(make: Make, mode: str, style: str) -> None:
    """Production writes JSON, the others for people; LOG_STYLE decides otherwise."""
    assert make("one", MODE=mode).log.style == style
    assert make("two", MODE=mode, LOG_STYLE="text").log.style == "text"


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"LOG_LEVEL": "LOUD"}, "DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ({"LOG_STYLE": "xml"}, "LOG_STYLE"),
        ({"LOG_FORMAT": "%(message"}, "LOG_FORMAT"),
        ({"LOG_FORMAT": "%(nosuch)s"}, "nosuch"),
        ({"LOG_FORMAT_MSEC": "%d"}, "LOG_FORMAT_MSEC"),
        ({"LOG_LEVELS": {"x": "LOUD"}}, "LOG_LEVELS"),
    ],
)
def test_bad_settings_are_named(make: Make, config: dict[str, Any], named: str) -> None:
    """Settings that could not work stop the boot."""
    with pytest.raises(ConfigError) as raised:
        make(**config)
    assert named in str(raised.value)


def test_flask_logger_writes_once(make: Make, capsys: Out) -> None:
    """Flask's ``app.logger`` writes through the same handler, once, and keeps to the level."""
    app = make(MODE="development", LOG_STYLE="json")
    app.logger.debug("quiet")
    app.logger.warning("once")
    captured = capsys.readouterr()
    assert [it["msg"] for it in fields(captured.out)] == ["once"]
    assert captured.err == ""


def test_flask_handler_from_before_is_removed(make: Make) -> None:
    """The handler that Flask put on the logger before the boot goes, so that nothing doubles."""
    logger = logging.getLogger("shop")
    logger.addHandler(default_handler)
    make()
    assert default_handler not in logger.handlers


def test_structlog_of_the_application(make: Make, capsys: Out) -> None:
    """Loggers that the application makes with structlog go the same way, until the last close."""
    first, second = make("first", LOG_STYLE="json"), make("second", LOG_STYLE="json")
    first.start()
    second.start()
    first.close()
    structlog.get_logger("mine").info("lift opened", lift=3)
    assert fields(capsys.readouterr().out) == [{"msg": "lift opened", "lift": 3}]
    second.close()
    assert not structlog.is_configured()


def test_configured_structlog_stays(make: Make) -> None:
    """An application that configures structlog itself keeps its configuration."""
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    app = make()
    app.start()
    app.close()
    assert len(structlog.get_config()["processors"]) == 1
    structlog.reset_defaults()


def test_start_imports_structlog() -> None:
    """In production the start of a worker imports structlog, slow as it is; the boot does not."""
    code = (
        "import sys; from buttress import create_app; app = create_app('json')\n"
        "booted = 'structlog' in sys.modules; app.start()\n"
        "started = 'structlog.stdlib' in sys.modules; app.close()\n"
        "sys.exit(f'{booted} {started}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == "False True\n"
