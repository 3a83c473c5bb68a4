from __future__ import annotations

import pytest

from buttress.log.record import extras_of, message_of, pairs_of, shown, traceback_of
from tests.log.lines import raised, record


class Broken:
    """A value that cannot be written."""

    def __repr__(self) -> str:
        raise ValueError("no text")


def test_message() -> None:
    """Arguments fill the places of the message."""
    assert message_of(record("piste %s is %d%% open", "A", 50)) == "piste A is 50% open"


@pytest.mark.parametrize(
    ("message", "args"),
    [("%d pistes", ("many",)), ("%s %s", (1,)), ("%(a)s", (1,)), ("none", (1,))],
)
def test_broken_call_is_shown(message: str, args: tuple[object, ...]) -> None:
    """A call whose arguments do not fit is shown with its arguments and the reason."""
    text = message_of(record(message, *args))
    assert text.startswith(f"{message!r} % {args!r} (TypeError")


def test_unwritable_value() -> None:
    """A value that cannot be written gives its type."""
    assert shown(Broken()) == "<Broken>"
    assert "<tuple>" in message_of(record("%s", Broken()))


def test_extras_are_what_was_added() -> None:
    """Attributes from ``extra=`` and the pairs are found, and nothing of the record's own."""
    made = record("open", piste=7, values={"lift": 3}, rid="x", service="shop")
    assert extras_of(made) == {"piste": 7, "lift": 3}
    assert pairs_of(made) == {"lift": 3}


def test_traceback() -> None:
    """Traceback and stack are given as text, without a last line end."""
    made = record("broken", exc_info=raised(ValueError("inside")), stack_info="Stack:\n  here")
    assert traceback_of(made).endswith("ValueError: inside\nStack:\n  here")
    assert traceback_of(record("fine")) == ""
    assert traceback_of(record("fine", exc_info=(None, None, None))) == ""
