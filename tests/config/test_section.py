"""Sections."""

from __future__ import annotations

import pytest

from buttress.config import Section, SectionSpec
from tests.config.sections import CacheSettings


def test_a_section_is_immutable():
    """A field cannot be set once the section is made."""
    with pytest.raises(AttributeError):
        CacheSettings().ttl = 5


def test_a_section_takes_keywords_only():
    """Fields are given by name."""
    with pytest.raises(TypeError):
        CacheSettings("memory://")


def test_a_field_without_default_may_follow_one_that_has_one():
    """The order of the fields is free, since they are keywords."""

    class Mixed(Section):
        first: int = 1
        second: int

    assert (Mixed(second=2).first, Mixed(second=2).second) == (1, 2)


def test_a_section_has_no_problems_unless_it_says_so():
    """The hook for checks between fields is empty by default."""
    assert list(Section().problems()) == []


def test_keys_begin_with_the_name_of_the_section():
    """The prefix is the name in upper case unless another is given, which may be empty."""
    assert SectionSpec("cache", CacheSettings).key_prefix == "CACHE_"
    assert SectionSpec("serving", CacheSettings, prefix="").key_prefix == ""
