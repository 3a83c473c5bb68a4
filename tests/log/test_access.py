from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
import threading
from typing import Any

import pytest
from flask import abort

from buttress import Service
from buttress.log.access import AccessLog
from buttress.log.output import OUTPUT
from tests.corpora import corpus
from tests.log.alone import alone
from tests.log.lines import fields
from tests.services import Make

Out = pytest.CaptureFixture[str]
OURS = "request.summary"
ACCESS = AccessLog("shop", logging.INFO, probes=False)


def shop(make: Make, **config: Any) -> Service:
    """Make a service that logs JSON and does not raise."""
    app = make(LOG_STYLE="json", PROPAGATE_EXCEPTIONS=False, **config)
    app.add_url_rule("/pistes/<int:number>", "piste", view_func=lambda number: f"{number}")
    app.add_url_rule("/broken", "broken", view_func=lambda: 1 / 0)
    app.add_url_rule("/down", "down", view_func=lambda: abort(503))
    return app


def summaries(out: str) -> list[dict[str, Any]]:
    """Give the access records among the lines."""
    return [it for it in fields(out) if "route" in it]


def test_record(make: Make, capsys: Out) -> None:
    """One record tells what became of a request."""
    sent = {"User-Agent": "probe/1", "Accept-Language": "de", "X-Request-Id": "abc"}
    shop(make).test_client().get("/pistes/7?token=hidden", headers=sent)
    (found,) = summaries(capsys.readouterr().out)
    assert 0 < found.pop("t") < 5000
    assert found.pop("msg").startswith("GET /pistes/7 200 ")
    assert found == {
        "rid": "abc",
        "errno": 0,
        "method": "GET",
        "path": "/pistes/7",
        "route": "/pistes/<int:number>",
        "status": 200,
        "remote": "127.0.0.1",
        "agent": "probe/1",
        "lang": "de",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("GET", "/nothing", 404, None),
        ("POST", "/pistes/7", 405, None),
        ("GET", "/broken", 500, "/broken"),
        ("GET", "/down", 503, "/down"),
        ("HEAD", "/pistes/7", 200, "/pistes/<int:number>"),
        ("GET", "/static/none.css", 404, "/static/<path:filename>"),
    ],
)
def test_every_answer_is_recorded_once(
    make: Make, capsys: Out, method: str, path: str, status: int, route: str | None
) -> None:
    """Whatever the outcome, a request has one record, and ``errno`` tells failures of ours."""
    app = shop(make)
    app.static_folder = "static"
    app.test_client().open(path, method=method).close()
    (found,) = summaries(capsys.readouterr().out)
    assert (found["method"], found["path"], found["status"]) == (method, path, status)
    assert found["route"] == route
    assert found["errno"] == (status if status >= 500 else 0)


def test_failing_hook_is_recorded(make: Make, capsys: Out) -> None:
    """An ``after_request`` hook that fails, even on the error page, leaves one record."""
    app = shop(make)
    app.after_request(lambda _response: 1 / 0)
    assert app.test_client().get("/pistes/7").status_code == 500
    assert [it["status"] for it in summaries(capsys.readouterr().out)] == [500]


def test_raised_exception_is_recorded(make: Make, capsys: Out) -> None:
    """An exception that reaches the server leaves a record of status 500."""
    app = make(LOG_STYLE="json")
    app.add_url_rule("/broken", "broken", view_func=lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/broken")
    assert [it["status"] for it in summaries(capsys.readouterr().out)] == [500]


@pytest.mark.parametrize(("probes", "count"), [(False, 0), (True, 1)])
def test_probes(make: Make, capsys: Out, probes: bool, count: int) -> None:
    """Health probes are recorded only when asked for."""
    shop(make, LOG_PROBES=probes).test_client().get("/livez").close()
    assert len(summaries(capsys.readouterr().out)) == count


@pytest.mark.parametrize("config", [{"LOG_REQUESTS": False}, {"LOG_LEVEL": "WARNING"}])
def test_no_records_when_unwanted(make: Make, capsys: Out, config: dict[str, Any]) -> None:
    """Without LOG_REQUESTS, or above INFO, there are no records."""
    shop(make, **config).test_client().get("/pistes/7")
    assert summaries(capsys.readouterr().out) == []


@pytest.mark.parametrize("style", ["text", "console"])
def test_path_cannot_forge(make: Make, capsys: Out, style: str) -> None:
    """A path brings no line, no column and no escape sequence."""
    app = make(LOG_STYLE=style)
    app.test_client().get("/a%0A%0Dforged%1b[31m 200 0.1 ms")
    (line,) = capsys.readouterr().out.splitlines()
    assert "/a\\n\\rforged\\x1b[31m%20200%200.1%20ms 404 " in line


def test_path_is_text(make: Make, capsys: Out) -> None:
    """A path is decoded as UTF-8, with a sign where it is none."""
    client = shop(make).test_client()
    client.get("/caf%C3%A9")
    client.get("/%ff")
    assert [it["path"] for it in summaries(capsys.readouterr().out)] == ["/café", "/\ufffd"]


def test_each_service_records_its_own(make: Make, capsys: Out) -> None:
    """With two services in one process each request has one record, under its service's name."""
    first, second = make("first", LOG_STYLE="json"), make("second", LOG_STYLE="json")
    first.test_client().get("/")
    second.test_client().get("/")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert '"Logger":"first"' in lines[0]
    assert '"Logger":"second"' in lines[1]


@pytest.mark.parametrize(
    "quiet", [{"LOG_LEVEL": "ERROR"}, {"LOG_LEVELS": {OURS: "ERROR"}}], ids=["all", "access"]
)
@pytest.mark.parametrize("quiet_last", [True, False])
def test_levels_do_not_mix(
    make: Make, capsys: Out, quiet: dict[str, Any], quiet_last: bool
) -> None:
    """With two services in one process each keeps its own level, whichever was booted last."""
    settings: list[dict[str, Any]] = [{}, quiet] if quiet_last else [quiet, {}]
    for app in [shop(make, **each) for each in settings]:
        app.test_client().get("/pistes/7")
    assert len(summaries(capsys.readouterr().out)) == 1


@pytest.mark.parametrize(("levels", "count"), [({"request": "ERROR"}, 0), ({OURS: "INFO"}, 1)])
def test_nearest_level_holds(make: Make, capsys: Out, levels: dict[str, str], count: int) -> None:
    """LOG_LEVELS may name the logger or one above it, and comes before LOG_LEVEL."""
    level = "ERROR" if count else "INFO"
    shop(make, LOG_LEVEL=level, LOG_LEVELS=levels).test_client().get("/pistes/7")
    assert len(summaries(capsys.readouterr().out)) == count


def test_level_of_the_logger_itself(
    make: Make, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A level that the application sets on the logger comes first."""
    app = shop(make)
    monkeypatch.setattr(logging.getLogger(OURS), "level", logging.ERROR)
    app.test_client().get("/pistes/7")
    assert summaries(capsys.readouterr().out) == []


def test_disabled_logging(make: Make, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    """``logging.disable`` holds for access records too."""
    app = shop(make)
    monkeypatch.setattr(logging.root.manager, "disable", logging.INFO)
    app.test_client().get("/pistes/7")
    assert summaries(capsys.readouterr().out) == []


def test_no_line_number(make: Make, capsys: Out) -> None:
    """In the style ``text`` a record has the name of its logger and no number of a line."""
    make(LOG_STYLE="text").test_client().get("/nothing")
    assert f" {OURS}   GET /nothing 404 " in capsys.readouterr().out


def asked(path: str = "/pistes/7", **more: str) -> dict[str, Any]:
    """Make the environment of a request; text is as WSGI has it."""
    seen = path.encode("utf-8", "surrogatepass").decode("latin-1")
    return {"REQUEST_METHOD": "GET", "PATH_INFO": seen, "REMOTE_ADDR": "127.0.0.1", **more}


def test_line_is_that_of_the_record(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line written without a record is, but for the time, the one written with a record."""
    texts = json.loads(corpus("naughty-strings.json").read_text(encoding="utf-8"))
    environs = [asked(it, HTTP_USER_AGENT=it, HTTP_ACCEPT_LANGUAGE=it) for it in texts]
    environs += [asked(REMOTE_ADDR=it, HTTP_X_REQUEST_ID="a") for it in ("", "::1", "\x7f \ud800")]
    with alone():
        for environ in environs:
            ACCESS(environ, "/<path:it>", 200, 0.00123456, False)
        short = capsys.readouterr().out
        monkeypatch.setattr(logging.getLogger(OURS), "handlers", [logging.NullHandler()])
        for environ in environs:
            ACCESS(environ, "/<path:it>", 200, 0.00123456, False)
    assert len(short.splitlines()) == len(environs)
    assert timeless(short) == timeless(capsys.readouterr().out)


def timeless(lines: str) -> str:
    """Leave the time out of JSON lines."""
    return re.sub(r'^\{"Timestamp":\d{19},', "{", lines, flags=re.MULTILINE)


def test_no_record_is_made_for_nobody(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only our handler would see it, no record is made."""
    monkeypatch.setattr(AccessLog, "_record", None)
    with alone():
        ACCESS(asked(), None, 404, 0.002, False)
    (found,) = fields(capsys.readouterr().out)
    assert found["msg"] == "GET /pistes/7 404 2.0 ms 127.0.0.1"


def test_other_handlers_see_the_record(caplog: pytest.LogCaptureFixture) -> None:
    """A handler that comes later sees whole records, with message and arguments apart."""
    with alone():
        ACCESS(asked(), None, 200, 0.001, False)
        logging.root.addHandler(caplog.handler)
        ACCESS(asked(), "/x", 200, 0.001, False)
    (found,) = caplog.records
    assert found.args == ("GET", "/pistes/7", 200, 1.0, "127.0.0.1")
    assert (found.getMessage(), found.name) == ("GET /pistes/7 200 1.0 ms 127.0.0.1", OURS)
    assert (found.__dict__["route"], found.__dict__["service"]) == ("/x", "shop")


@pytest.mark.parametrize(
    ("status", "failed", "errno"),
    [(200, False, 0), (404, False, 0), (500, False, 500), (503, True, 503), (200, True, 500)],
)
def test_errno(capsys: Out, status: int, failed: bool, errno: int) -> None:
    """``errno`` tells a failure of ours, also one after the status was told to the client."""
    with alone():
        ACCESS(asked(), None, status, 0.001, failed)
    (found,) = fields(capsys.readouterr().out)
    assert (found["status"], found["errno"]) == (status, errno)


def test_failing_output(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written, logging reports it and the request goes on."""
    monkeypatch.setattr(sys, "stdout", closed := io.StringIO())
    closed.close()
    with alone():
        ACCESS(asked(), None, 200, 0.001, False)
    reported = capsys.readouterr().err
    assert "I/O operation on closed file" in reported
    assert "Arguments: ('GET', '/pistes/7', 200, 1.0, '127.0.0.1')" in reported


def test_line_waits_for_the_handler(capsys: Out) -> None:
    """A line is written under the lock of the handler, so that none gets into another."""
    request = threading.Thread(target=ACCESS, args=(asked(), None, 200, 0.001, False))
    with alone():
        OUTPUT.handler.acquire()
        request.start()
        request.join(0.1)
        waited = capsys.readouterr().out
        OUTPUT.handler.release()
        request.join(5)
    assert waited == ""
    assert len(fields(capsys.readouterr().out)) == 1


def test_fork() -> None:
    """After a fork each process writes its own number."""
    code = (
        "import os; from buttress import create_app; from buttress.log.access import AccessLog\n"
        "app, access = create_app('json'), AccessLog('json', 20, False)\n"
        "tell = lambda: access({'REQUEST_METHOD': 'GET'}, str(os.getpid()), 200, 0.1, False)\n"
        "tell(); child = os.fork(); tell(); app.close()\n"
        "os._exit(0) if not child else os.waitpid(child, 0)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=30)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [str(it["Pid"]) for it in lines] == [it["Fields"]["route"] for it in lines]
    assert (len(lines), len({it["Pid"] for it in lines})) == (3, 2)
