from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask

from buttress import ConfigError
from buttress.web import current_deadline
from buttress.web.deadline import BEGAN, Deadlines, seconds_of
from buttress.web.settings import WebSettings
from tests.services import Make


def left(environ: dict[str, Any], limit: float | None = None, header: str = "") -> float | None:
    """Give the seconds that a request has left."""
    settings = WebSettings(request_deadline=limit, request_deadline_header=header)
    deadline = Deadlines(settings).of(environ)
    return None if deadline is None else deadline.left()


def came(seconds_ago: float = 0.0, **headers: str) -> dict[str, Any]:
    """Make the environment of a request that arrived some time ago."""
    return {BEGAN: time.perf_counter() - seconds_ago, **headers}


def test_no_deadline_by_default() -> None:
    """Without settings there is no deadline, whatever a caller says."""
    assert left(came(HTTP_X_DEADLINE="1")) is None


def test_counted_from_the_arrival() -> None:
    """What is left is counted from the arrival of the request, not from the question."""
    assert left(came(4), limit=10) == pytest.approx(6, abs=0.5)


def test_nothing_is_left() -> None:
    """A deadline that has passed leaves nothing, and never less."""
    assert left(came(11), limit=10) == 0.0
    assert left(came(HTTP_X_DEADLINE="0"), header="X-Deadline") == 0.0


@pytest.mark.parametrize(
    ("limit", "told", "expected"), [(10, "3", 3), (2, "3", 2), (None, "3", 3), (10, "", 10)]
)
def test_the_shorter_holds(limit: float | None, told: str, expected: float) -> None:
    """Of the setting and the trusted header the shorter one holds."""
    environ = came(HTTP_X_DEADLINE=told)
    assert left(environ, limit, "x-Deadline") == pytest.approx(expected, abs=0.5)


def test_other_headers_are_not_trusted() -> None:
    """Only the header that the settings name is read."""
    assert left(came(HTTP_X_DEADLINE="3"), 10, "X-Time-Left") == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize(
    ("text", "expected"), [("0", 0.0), ("3", 3.0), ("0.250", 0.25), ("86400", 86400.0)]
)
def test_decimal_numbers(text: str, expected: float) -> None:
    """A header may say any decimal number up to a day."""
    assert seconds_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-1", "-0", "+1", "1e3", "0x10", "1_0", "nan", "inf", "Infinity", "1,5", "3, 4"),
        *(".5", "5.", "1.2.3", " 3", "3 ", "3s", "3\n", "\u0663", "\xb3", "86400.5", "99999"),
        *("9" * 400, "0." + "0" * 400, "\x00", "3\x00"),
    ],
)
def test_anything_else_is_ignored(text: str) -> None:
    """A header that is malformed, negative or longer than a day counts as if it were not there."""
    assert seconds_of(text) is None
    assert left(came(HTTP_X_DEADLINE=text), 10, "X-Deadline") == pytest.approx(10, abs=0.5)


def test_one_deadline_for_a_request() -> None:
    """Whoever asks gets the same deadline; past the edge it counts from the first question."""
    environ: dict[str, Any] = {}
    deadlines = Deadlines(WebSettings(request_deadline=10))
    assert deadlines.of(environ) is deadlines.of(environ) is not None


def test_nothing_outside_a_request(make: Make) -> None:
    """Outside a request, in an application context too, there is no deadline."""
    assert current_deadline() is None
    with make(REQUEST_DEADLINE=10).app_context():
        assert current_deadline() is None


def test_nothing_without_the_extension(make: Make) -> None:
    """A bare Flask application, and a service without ``web``, have no deadlines."""
    for app in (Flask("bare"), make(extensions=[])):
        with app.test_request_context():
            assert current_deadline() is None


def test_in_a_request(make: Make) -> None:
    """A view sees the time that is left, of its own service, whatever context is pushed inside."""
    app, other = make(REQUEST_DEADLINE=10), make("other", REQUEST_DEADLINE=1)

    def view() -> str:
        with other.app_context():
            deadline = current_deadline()
        return str(deadline.left() if deadline else None)

    app.add_url_rule("/", view_func=view)
    assert float(app.test_client().get("/").text) == pytest.approx(10, abs=0.9)


def test_by_environment(make: Make) -> None:
    """What has the environment of a request only, such as a thread, asks ``app.web``."""
    app = make(REQUEST_DEADLINE_HEADER="X-Deadline")
    deadline = app.web.deadline_of(came(1, HTTP_X_DEADLINE="5"))
    assert deadline is not None
    assert deadline.left() == pytest.approx(4, abs=0.5)
    assert app.web.deadline_of(came()) is None


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"REQUEST_DEADLINE": 0}, "REQUEST_DEADLINE"),
        ({"REQUEST_DEADLINE": -1}, "REQUEST_DEADLINE"),
        ({"REQUEST_DEADLINE": 86401}, "REQUEST_DEADLINE"),
        ({"REQUEST_DEADLINE": "inf"}, "REQUEST_DEADLINE"),
        ({"REQUEST_DEADLINE": "nan"}, "REQUEST_DEADLINE"),
        ({"REQUEST_DEADLINE_HEADER": "X Deadline"}, "X-Deadline"),
        ({"REQUEST_DEADLINE_HEADER": "X_Deadline"}, "X-Deadline"),
        ({"REQUEST_DEADLINE_HEADER": "Content-Length"}, "says something else"),
    ],
)
def test_bad_settings_are_named(make: Make, config: dict[str, Any], named: str) -> None:
    """A limit that is none, and a name that is no header's, stop the boot."""
    with pytest.raises(ConfigError) as raised:
        make(**config)
    assert named in str(raised.value)
