from __future__ import annotations

import gc
import io
import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from buttress.log import Log, LogSettings
from buttress.log.output import OUTPUT, Output
from tests.log.lines import fields
from tests.services import Make

root = logging.getLogger()
Out = pytest.CaptureFixture[str]


def ours() -> int:
    """Count our handlers on the root logger."""
    return root.handlers.count(OUTPUT.handler)


def test_two_services_do_not_double_lines(make: Make, capsys: Out) -> None:
    """However many services there are, a record is one line."""
    make("first", LOG_STYLE="json"), make("second", LOG_STYLE="json")
    logging.getLogger("anything").warning("once")
    assert ours() == 1
    assert [it["msg"] for it in fields(capsys.readouterr().out)] == ["once"]


def test_last_opened_decides(make: Make, capsys: Out) -> None:
    """The log looks as the last service wants; when that is closed, as the one before."""
    make("first", LOG_STYLE="json")
    second = make("second", LOG_STYLE="text", LOG_FORMAT="text: %(message)s")
    logging.getLogger("anything").warning("one")
    second.close()
    logging.getLogger("anything").warning("two")
    text, line = capsys.readouterr().out.splitlines()
    assert text == "text: one"
    assert fields(line)[0]["msg"] == "two"


def test_each_service_has_its_own_level(make: Make, capsys: Out) -> None:
    """The level of a service holds for its own loggers, whatever another one's is."""
    make("first", LOG_LEVEL="DEBUG"), make("second", LOG_LEVEL="ERROR")
    for name in ("first.app.lifts", "second.app.lifts"):
        logging.getLogger(name).debug("from %s", name)
        logging.getLogger(name).error("from %s", name)
    out = capsys.readouterr().out
    assert (out.count("from first"), out.count("from second")) == (2, 1)


def test_last_close_leaves_logging_as_found(make: Make) -> None:
    """After the last service, handlers and levels are what they were."""
    quiet = logging.getLogger("quiet")
    before = (root.level, list(root.handlers), quiet.level, logging.getLogger("first").level)
    apps = [
        make(name, LOG_LEVEL="DEBUG", LOG_LEVELS={"quiet": "ERROR"}) for name in ("first", "two")
    ]
    assert (root.level, quiet.level, ours()) == (logging.DEBUG, logging.ERROR, 1)
    for app in apps:
        app.close()
    after = (root.level, list(root.handlers), quiet.level, logging.getLogger("first").level)
    assert after == before


def test_record_knows_its_request(make: Make, capsys: Out) -> None:
    """A record that any logger writes in a request carries the id and the service."""
    app = make(LOG_STYLE="json")
    app.add_url_rule("/", view_func=lambda: logging.getLogger("lib").warning("seen") or "")
    answer = app.test_client().get("/")
    seen, _access = fields(capsys.readouterr().out)
    assert seen == {"msg": "seen", "rid": answer.headers["X-Request-Id"]}


def test_record_knows_its_service(make: Make, capsys: Out) -> None:
    """A record belongs to the service whose context it is in, else to the one opened last."""
    first = make("first", LOG_STYLE="json")
    make("second", LOG_STYLE="json")
    with first.app_context():
        logging.getLogger("lib").warning("inside")
    logging.getLogger("lib").warning("outside")
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["Logger"] for line in lines] == ["first", "second"]


def test_broken_call_does_not_break_the_request(make: Make, capsys: Out) -> None:
    """A log call with arguments that do not fit is logged, and the request is answered."""
    app = make(LOG_STYLE="json")
    app.add_url_rule("/", view_func=lambda: OUTPUT.handler.handle(bad()) and "fine")
    assert app.test_client().get("/").text == "fine"
    captured = capsys.readouterr()
    assert fields(captured.out)[0]["msg"].startswith("'%d lifts' % ('many',)")
    assert captured.err == ""


def bad() -> logging.LogRecord:
    """Make a record whose arguments do not fit."""
    return logging.LogRecord("lib", logging.INFO, "x.py", 1, "%d lifts", ("many",), None)


def test_closed_stream_does_not_break_the_request(
    make: Make, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be written, the failure is reported and the request is answered."""
    app = make()
    monkeypatch.setattr(sys, "stdout", closed := io.StringIO())
    closed.close()
    assert app.test_client().get("/livez").status_code == 200
    assert app.test_client().get("/").status_code == 404
    assert "I/O operation on closed file" in capsys.readouterr().err


def test_narrow_encoding(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the encoding of the output does not have is written as an escape."""
    make(LOG_STYLE="text", LOG_FORMAT="%(message)s")
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        logging.getLogger("lib").warning("café ✓")
        monkeypatch.undo()
    assert (tmp_path / "out").read_text() == "caf\\xe9 \\u2713\n"


def test_works_with_caplog(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Pytest's own capture sees the records."""
    make().log.info("piste opened", piste=7)
    assert [(it.name, it.getMessage()) for it in caplog.records] == [("shop", "piste opened")]


def test_threads_do_not_mix_lines(make: Make, capsys: Out) -> None:
    """Records of several threads are whole lines."""
    make(LOG_STYLE="json")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: logging.getLogger("lib").info("%s", number), range(400)))
    found = sorted(int(it["msg"]) for it in fields(capsys.readouterr().out))
    assert found == list(range(400))


def test_fork() -> None:
    """After a fork both processes write, each under its own number."""
    code = (
        "import os, logging; from buttress import create_app; app = create_app('json')\n"
        "child = os.fork(); logging.getLogger('lib').warning('here'); app.close()\n"
        "os._exit(0) if not child else os.waitpid(child, 0)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=30)
    assert [it["msg"] for it in fields(out)] == ["here", "here"]
    assert len({json.loads(line)["Pid"] for line in out.splitlines()}) == 2


def test_forgotten_service_has_no_say() -> None:
    """A service that was never closed and is gone does not keep the handler on."""
    output = Output()
    output.open(Log("forgotten", LogSettings(), "testing"))
    gc.collect()
    output.open(log := Log("kept", LogSettings(), "testing"))
    output.close(log)
    assert output.handler not in root.handlers
