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
    """Every other name is told with what to write."""
    assert shop.problems({"port": 1, 5: 2, "Mixed_Case": 3, "PORT": 9}) == (
        "config=: 'port' is not the name of a setting; write 'PORT'",
        "config=: 5 is not the name of a setting; write '5'",
        "config=: 'Mixed_Case' is not the name of a setting; write 'MIXED_CASE'",
    )
