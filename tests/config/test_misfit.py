"""The part of a wrong value that is named."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from buttress.config.misfit import Part, misfit

Level = Literal["LOW", "HIGH"]


class Lift(msgspec.Struct):
    """A value with parts of its own."""

    seats: int


def found(value: object, annotation: object, key: str = "X") -> tuple[str, object]:
    part = misfit(Part(key, key, value, annotation))
    return part.place, part.value


@pytest.mark.parametrize(
    ("value", "annotation", "place", "wrong"),
    [
        ({"a": "LOW", "b": "LOUD"}, dict[str, Level], "X['b']", "LOUD"),
        ([1, "many"], list[int] | None, "X[1]", "many"),
        ((1, "x"), tuple[str, int] | tuple[int, int], "X[0]", 1),
        (["x", "y"], tuple[str, int], "X[1]", "y"),
        ({"a": {"b": [1, "c"]}}, dict[str, dict[str, list[int]]], "X['a']['b'][1]", "c"),
        ({"many": 1}, dict[int, int], "a key of X", "many"),
        ([{"seats": "x"}], tuple[Lift, ...], "X[0].seats", "x"),
        ([{}], tuple[Lift, ...], "X[0]", {}),
        ([0.5, float("inf")], list[float], "X[1]", float("inf")),
        ("LOUD", dict[str, Level], "X", "LOUD"),
        ([1], dict, "X", [1]),
    ],
)
def test_the_innermost_part_is_found(value, annotation, place, wrong):
    """Mappings, lists and structures are searched; where all of it fits, it is the whole."""
    assert found(value, annotation) == (place, wrong)


def test_the_name_of_a_part_decides_whether_it_is_shown():
    """What stands under a secret-looking name is masked, however deep it is."""
    part = misfit(Part("X", "X", {"token": ["tulip"]}, dict[str, list[int]]))
    assert (part.place, part.key) == ("X['token'][0]", "TOKEN")
