"""Conversion to the types of fields."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from buttress.config import Registry, Secret, Section, SectionSpec
from buttress.config.conversion import convert, like
from buttress.config.given import Given
from buttress.config.settings import CORE
from tests.config.sections import SPECS


class Lift(Section):
    """A value with parts of its own."""

    seats: int


class LiftSettings(Section):
    """A section whose fields are structures."""

    main: Lift
    others: tuple[Lift, ...] = ()
    folder: Path | None = None
    kinds: tuple[Literal["chair", "gondola"], ...] = ()


REGISTRY = Registry([*CORE, *SPECS, SectionSpec("lift", LiftSettings)])


def converted(key: str, value: object, text: str | tuple[str, ...] | None = None) -> object:
    return convert(Given(key, value, "here", text), REGISTRY.fields[key])


@pytest.mark.parametrize("text", ["true", "1", "YES", "On"])
def test_words_for_true(text):
    """The usual words for true are accepted in any case."""
    assert converted("CACHE_ENABLED", text) is True


@pytest.mark.parametrize("text", ["false", "0", "No", "OFF"])
def test_words_for_false(text):
    """The usual words for false are accepted in any case."""
    assert converted("CACHE_ENABLED", text) is False


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("CACHE_TTL", "7", 7),
        ("CACHE_RATIO", "0.25", 0.25),
        ("CACHE_WAIT", "1.5", timedelta(seconds=1.5)),
        ("CACHE_SERVERS", "a, b c", ("a", "b c")),
        ("CACHE_SERVERS", " a  b\n", ("a", "b")),
        ("CACHE_SERVERS", '["a", "b,c"]', ("a", "b,c")),
        ("CACHE_SERVERS", "", ()),
        ("CACHE_LIMITS", '{"a": 1}', {"a": 1}),
        ("CACHE_LIMITS", "", None),
        ("CACHE_SIZE", "", None),
        ("CACHE_SIZE", "12", 12),
        ("CACHE_EVICTION", "lfu", "lfu"),
        ("CACHE_URL", " 007 ", " 007 "),
        ("TRUSTED_HOSTS", "a,b", ["a", "b"]),
        ("LIFT_MAIN", '{"seats": 4}', Lift(seats=4)),
        ("LIFT_OTHERS", '[{"seats": 2}]', (Lift(seats=2),)),
        ("LIFT_FOLDER", "{x}", type(Path())("{x}")),
    ],
)
def test_text_is_read_by_the_type_of_its_field(key, text, value):
    """A text from the environment becomes what its field declares."""
    result = converted(key, text)
    assert (type(result), result) == (type(value), value)


@pytest.mark.parametrize("value", ["tulip", b"tulip", Secret("tulip")])
def test_a_secret_is_made_of_text_or_utf_8_bytes(value):
    """Flask's users give bytes, others text; both become a secret."""
    result = converted("SECRET_KEY", value)
    assert (type(result), result.reveal()) == (Secret, "tulip")


def test_a_list_of_secrets_is_one():
    """The fallbacks of the secret key are secrets, each of them."""
    assert [type(one) for one in converted("SECRET_KEY_FALLBACKS", "a,b")] == [Secret, Secret]


@pytest.mark.parametrize(
    ("key", "value", "text", "result"),
    [
        ("CACHE_URL", 7, "007", "007"),
        ("SECRET_KEY", 12, "012", Secret("012")),
        ("CACHE_SERVERS", [1, "b"], ("01", "b"), ("01", "b")),
        ("CACHE_ENABLED", 1, "1", True),
        ("CACHE_RATIO", 1, "1", 1.0),
    ],
)
def test_what_was_written_counts_where_the_typed_reading_does_not_fit(key, value, text, result):
    """A number in an ini file is text again where its field is text."""
    assert converted(key, value, text) == result


def test_choices_inside_a_list_are_told():
    """The sentence names the place inside the list, the choices, and the nearest of them."""
    with pytest.raises(ValueError, match=".") as caught:
        converted("LIFT_KINDS", "chair, gondole")
    assert str(caught.value) == (
        "here: LIFT_KINDS[1] is 'gondole', but must be one of chair, gondola; did you mean gondola?"
    )


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("CACHE_TTL", "x", "here: CACHE_TTL is 'x', but must be a whole number, at least 1"),
        ("CACHE_TTL", 0, "here: CACHE_TTL is 0, but must be a whole number, at least 1"),
        ("CACHE_TTL", "", "here: CACHE_TTL is '', but must be a whole number"),
        ("CACHE_TTL", True, "here: CACHE_TTL is True, but must be a whole number"),
        ("CACHE_ENABLED", "maybe", "here: CACHE_ENABLED is 'maybe', but must be true or false"),
        ("CACHE_URL", 5, "here: CACHE_URL is 5, but must be text"),
        ("CACHE_LIMITS", "{oops", "here: CACHE_LIMITS is not valid JSON: object keys must be"),
        (
            "CACHE_LIMITS",
            '{"a": 1',
            "here: CACHE_LIMITS is not valid JSON: Input data was truncated",
        ),
        (
            "CACHE_LIMITS",
            '{"a": "x"}',
            "here: CACHE_LIMITS['a'] is 'x', but must be a whole number",
        ),
        ("CACHE_LIMITS", {"token": "tulip"}, "CACHE_LIMITS['token'] is '********', but must be"),
        ("CACHE_RATIO", float("inf"), "here: CACHE_RATIO is inf, but must be a number"),
        ("CACHE_WAIT", "1e300", "here: CACHE_WAIT is '1e300', but must be a duration in seconds"),
        ("CACHE_LIMITS", "oops", "here: CACHE_LIMITS is 'oops', but must be a mapping"),
        ("CACHE_EVICTION", "lrv", "but must be one of lru, lfu; did you mean lru?"),
        ("CACHE_URL", ["amqp://u:tulip@h"], r"is ['amqp://u:********@h']"),
    ],
)
def test_what_does_not_fit_is_told_in_one_sentence(key, value, sentence):
    """The sentence names the key, the origin, the value and what is expected."""
    with pytest.raises(ValueError, match=".") as caught:
        converted(key, value)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("value", [["tulip"], b"tulip\xff", 5])
def test_a_secret_is_never_shown_in_an_error(value):
    """An error about a secret names it and keeps it."""
    with pytest.raises(ValueError, match="SECRET_KEY must be text") as caught:
        converted("SECRET_KEY", value)
    assert "tulip" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "known", "value"),
    [
        ("5", 1, 5),
        ("no", True, False),
        ("a,b", ["x"], ["a", "b"]),
        ('{"a": 1}', {}, {"a": 1}),
        ("/x", Path("/"), Path("/x")),
        ("5", "text", "5"),
        ("5", None, "5"),
        ("5", object(), "5"),
    ],
)
def test_an_own_key_takes_the_type_of_its_weaker_value(text, known, value):
    """A variable that overrides a key of the application has the type that it had."""
    assert like(text, known) == value


@pytest.mark.parametrize(
    ("text", "known", "sentence"),
    [
        ("many", 1, "must be a whole number"),
        ("{x", {}, "must be a mapping"),
        ("inf", 0.5, "must be a number"),
    ],
)
def test_an_own_key_that_does_not_fit_is_refused(text, known, sentence):
    """A text that cannot be of the known type is told so."""
    with pytest.raises(ValueError, match=sentence):
        like(text, known)
