from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import abort

from buttress import Service
from tests.log.lines import fields
from tests.services import Make

Out = pytest.CaptureFixture[str]


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
    app.test_client().open(path, method=method)
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
    shop(make, LOG_PROBES=probes).test_client().get("/livez")
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


OURS = "request.summary"


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
