"""Marks on functions, without any app."""

from __future__ import annotations

from typing import Any, cast

import pytest

from buttress.declare import Mark, consumer, cron, every, marks, pulse_consumer


def test_a_marked_function_is_still_itself() -> None:
    """The decorator gives back the very function."""

    def measure() -> int:
        return 3

    assert every(seconds=5)(measure) is measure
    assert measure() == 3


def test_marks_are_kept_outermost_first() -> None:
    """One function may have several marks."""

    @consumer("snow", once=True)
    @cron("0 6 * * *")
    def ingest() -> None: ...

    assert marks(ingest) == (
        Mark("consumer", {"queue": "snow", "once": True}),
        Mark("cron", {"expression": "0 6 * * *"}),
    )


def test_a_consumer_of_pulse_is_marked_with_its_topic() -> None:
    """Without a routing key it is all of the exchange."""

    @pulse_consumer("exchange/resort/snow", queue="snow")
    def ingest(body: object, message: object) -> None: ...

    expected = {"exchange": "exchange/resort/snow", "routing_key": "#", "queue": "snow"}
    assert marks(ingest) == (Mark("pulse_consumer", expected),)


def test_an_unmarked_thing_has_no_marks() -> None:
    """Asking is safe for any object."""
    assert marks(len) == ()
    assert marks(3) == ()


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_period_must_be_positive(seconds: float) -> None:
    """A mark that could never run is refused where it is written."""
    with pytest.raises(ValueError, match="more than 0"):
        every(seconds=seconds)


def test_a_cron_expression_has_five_fields() -> None:
    """Four fields are refused with their names."""
    with pytest.raises(ValueError, match="minute, hour, day, month, weekday"):
        cron("0 6 * *")


def test_only_functions_are_marked() -> None:
    """Marking a value says so."""
    with pytest.raises(TypeError, match="marks a function"):
        every(seconds=1)(cast(Any, 3))
