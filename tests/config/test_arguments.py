"""Values that come from code."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("arguments", [[("PORT", 1)], "PORT=1", 5, object])
def test_config_must_be_a_mapping(shop, arguments):
    """Anything else is refused with its type."""
    (problem,) = shop.problems(arguments)
    assert problem == (
        "config= must be a mapping such as {'PORT': 8000}, "
        f"not of the type {type(arguments).__name__}"
    )


def test_no_config_is_none(shop):
    """None means nothing to say."""
    assert shop.load(None).values == shop.load({}).values


def test_names_must_be_upper_case_text(shop):
    """Every other name is told, with what to write where there is something."""
    assert shop.problems({"port": 1, 5: 2, "Mixed_Case": 3, "7": 4, "PORT": 9}) == (
        "config=: 'port' is not the name of a setting; write 'PORT'",
        "config=: 5 is not the name of a setting",
        "config=: 'Mixed_Case' is not the name of a setting; write 'MIXED_CASE'",
        "config=: '7' is not the name of a setting",
    )


def test_the_command_line_makes_no_setting(shop):
    """A key that nothing else has is told with the nearest name."""
    assert shop.problems(command_line={"PRT": "1", "QQQQ": "2"}) == (
        "command line --prt: there is no setting PRT; did you mean PORT?",
        "command line --qqqq: there is no setting QQQQ",
    )


def test_the_command_line_sets_what_a_weaker_source_has(shop):
    """The application's own keys keep their type; a library's keys are free."""
    shop.write("shop/settings.py", "DEPTH = 3\n")
    given = {"DEPTH": "4", "RATELIMIT_X": "5"}
    assert given.keys() <= shop.load(command_line=given).values.keys()
    assert shop.load(command_line=given).values["DEPTH"] == 4
    assert shop.problems(command_line={"DEPTH": "deep"}) == (
        "command line --depth: DEPTH must be a whole number",
    )
