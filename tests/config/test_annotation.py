"""Annotations in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from msgspec import Meta

from buttress.config import Key, Secret
from buttress.config.annotation import describe, is_optional, members, mentions, metadata


class Colour(Enum):
    """An enumeration of two."""

    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "a whole number"),
        (Annotated[int, Meta(ge=1, le=9)], "a whole number, at least 1, at most 9"),
        (Annotated[float, Meta(gt=0)] | None, "a number, more than 0, or nothing"),
        (bool, "true or false"),
        (Secret | None, "text, or nothing"),
        (Literal["a", "b"], "one of a, b"),
        (Literal["a"] | int, "one of a or a whole number"),
        (Colour, "one of red, blue"),
        (list[int], "a list, each a whole number"),
        (tuple[str, ...], "a list, each text"),
        (frozenset, "a list"),
        (Mapping[str, int], "a mapping"),
        (timedelta, "a duration in seconds"),
        (Path, "a path"),
        (bytes, "bytes"),
        (Annotated[str, Meta(pattern="^/")], "text, of the form ^/"),
        (Annotated[str, Meta(pattern="^/", title="from /")] | None, "text, from /, or nothing"),
    ],
)
def test_an_annotation_is_said_in_words(annotation, words):
    """People read what is expected, not Python's syntax."""
    assert describe(annotation) == words


def test_members_are_found_below_metadata_and_unions():
    """The alternatives of an annotation are flat, without None."""
    assert members(Annotated[int | Annotated[str, Meta()] | None, Meta()]) == (int, str)


def test_optional_is_seen_through_metadata():
    """An annotated union with None is optional."""
    assert is_optional(Annotated[int | None, Meta()])
    assert not is_optional(Annotated[int, Meta()])


def test_metadata_is_collected_from_within():
    """What is attached to an alternative counts as well."""
    inner, outer = Meta(ge=1), Key(name="X")
    assert metadata(Annotated[Annotated[int, inner] | None, outer]) == (inner, outer)


def test_mentions_finds_a_class_anywhere():
    """A secret inside a list of an optional field is found."""
    assert mentions(Annotated[list[Secret] | None, Meta()], Secret)
    assert not mentions(list[str], Secret)
