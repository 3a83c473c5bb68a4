from __future__ import annotations

import json
import logging
import os
import socket
from collections import UserDict
from enum import StrEnum
from typing import Any

import pytest
from markupsafe import Markup

from buttress import Secret
from buttress.log.mozlog import MozlogFormatter, encode, plain, severity
from tests.corpora import corpus
from tests.log.lines import raised, record

HIDDEN = Secret("correct horse battery staple")


class Word(StrEnum):
    """A word that is also a string."""

    OPEN = "open"


class Odd:
    """Something of which JSON knows nothing."""

    def __str__(self) -> str:
        return "odd"


def written(made: logging.LogRecord) -> dict[str, Any]:
    """Write a record and read it again."""
    found: dict[str, Any] = json.loads(MozlogFormatter().format(made))
    return found


def test_shape() -> None:
    """A line has exactly the members of mozlog 2.0."""
    made = record("open", service="Shop")
    found = written(made)
    assert abs(found.pop("Timestamp") - made.created * 1e9) < 1000
    assert found == {
        "Type": "shop",
        "Logger": "Shop",
        "Hostname": socket.gethostname(),
        "EnvVersion": "2.0",
        "Severity": 6,
        "Pid": os.getpid(),
        "Fields": {"msg": "open"},
    }


def test_bytes() -> None:
    """The order of the members and every byte between them stay as they are."""
    made = record("é", created=1.5, process=7, service="Shop", rid="abc", values={"n": [1.0]})
    assert MozlogFormatter().format(made) == (
        '{"Timestamp":1500000000,"Type":"shop","Logger":"Shop",'
        f'"Hostname":"{socket.gethostname()}","EnvVersion":"2.0","Severity":6,"Pid":7,'
        '"Fields":{"msg":"é","n":[1.0],"rid":"abc"}}'
    )


@pytest.mark.parametrize(
    ("level", "number"), [("CRITICAL", 2), ("ERROR", 3), ("WARNING", 4), ("INFO", 6), ("DEBUG", 7)]
)
def test_severity(level: str, number: int) -> None:
    """Levels are given as syslog numbers; one between two counts as the lower."""
    value = logging.getLevelNamesMapping()[level]
    assert severity(value) == severity(value + 1) == number


def test_fields() -> None:
    """Request id, pairs and extras stand beside the message, which nothing replaces."""
    made = record("open", rid="abc", values={"msg": "other", "piste": 7}, lift=3)
    assert written(made)["Fields"] == {"msg": "open", "lift": 3, "piste": 7, "rid": "abc"}


def test_error_and_traceback() -> None:
    """An exception is there as ``error`` and ``traceback``."""
    found = written(record("broken", exc_info=raised(ValueError("inside"))))["Fields"]
    assert found["error"] == "ValueError('inside')"
    assert found["traceback"].startswith("Traceback (most recent call last):\n")
    assert "error" not in written(record("fine"))["Fields"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (HIDDEN, "********"),
        ({"nested": [HIDDEN]}, {"nested": ["********"]}),
        (Word.OPEN, "open"),
        (Markup("<b>"), "<b>"),
        (Odd(), "odd"),
        ({1: "one", None: "none"}, {"1": "one", "null": "none"}),
        (UserDict(a=1), {"a": 1}),
        ({3}, [3]),
        (b"\xff", "b'\\xff'"),
        (float("nan"), None),
    ],
)
def test_values(value: object, expected: object) -> None:
    """Every value can be written; secrets stay masked."""
    assert json.loads(encode({"value": value}))["value"] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("\ud800", "\\ud800"), (2**70, str(2**70)), ([HIDDEN, 2**70], ["********", str(2**70)])],
)
def test_what_json_cannot_hold(value: object, expected: object) -> None:
    """Lone surrogates and huge numbers become text, and secrets beside them stay masked."""
    assert json.loads(encode({"value": value}))["value"] == expected


def test_endless_value() -> None:
    """A value that holds itself is written down to a depth."""
    ring: list[object] = []
    ring.append(ring)
    assert json.loads(encode({"value": ring}))["value"][0][0] != []


def test_plain_keeps_what_json_has() -> None:
    """What JSON has stays as it is."""
    value = {"a": [1, 2.5, True, None, "x"]}
    assert plain(value) == value


def test_no_string_makes_a_second_line() -> None:
    """Whatever the message is, the record is one line that says the same."""
    for text in json.loads(corpus("naughty-strings.json").read_text(encoding="utf-8")):
        line = MozlogFormatter().format(record(text))
        assert len(line.splitlines()) == 1
        assert json.loads(line)["Fields"]["msg"] == text
