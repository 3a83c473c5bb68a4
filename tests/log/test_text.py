from __future__ import annotations

import re

import pytest

from buttress import Secret
from buttress.log.settings import LogSettings
from buttress.log.text import TextFormatter, pair
from tests.log.lines import raised, record

DEFAULT = LogSettings()


def formatter(form: str = DEFAULT.format, msec: str = DEFAULT.format_msec) -> TextFormatter:
    """Make a formatter, by default Gnar's."""
    return TextFormatter(form, msec)


def test_gnar_format() -> None:
    """The default is the format that the Gnar document shows, to the space."""
    line = formatter().format(record("Logging at %s", "INFO"))
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO     shop:7   Logging at INFO", line
    )


def test_milliseconds() -> None:
    """LOG_FORMAT_MSEC says how the milliseconds are joined."""
    line = formatter("%(asctime)s", "%s,%05d").format(record("", msecs=42.0))
    assert line.endswith(",00042")


def test_pairs_and_request_id_follow() -> None:
    """Pairs and the request id stand behind the message."""
    line = formatter("%(message)s").format(record("open", values={"piste": 7}, rid="abc"))
    assert line == "open piste=7 rid=abc"


def test_request_id_in_the_format() -> None:
    """A format that shows the request id itself shows it once."""
    assert formatter("%(rid)s %(message)s").format(record("open", rid="abc")) == "abc open"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, "a=7"),
        ("", 'a=""'),
        ("b c", 'a="b c"'),
        ('" x=1', 'a="\\" x=1"'),
        (Secret("x"), "a=********"),
    ],
)
def test_pair(value: object, expected: str) -> None:
    """A value cannot pretend to be several pairs, and a secret is masked."""
    assert pair("a", value) == expected


def test_nothing_begins_a_line() -> None:
    """Message, pairs, names and tracebacks stay behind the start of the record."""
    forged = "\n2018-07-09 15:41:46.420 INFO     root:1   forged"
    made = record(
        "a%s",
        forged,
        name=f"shop{forged}",
        values={"b": forged},
        exc_info=raised(ValueError(forged)),
    )
    first, *others = formatter().format(made).splitlines()
    assert first.count("forged") == 3
    assert others
    assert all(line.startswith("    ") for line in others)


def test_record_is_not_changed() -> None:
    """Other handlers see the record as it was."""
    made = record("a\nb", values={"c": "d"})
    before = dict(made.__dict__)
    formatter().format(made)
    assert made.__dict__ == before
