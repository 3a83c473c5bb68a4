"""The registry of declared keys."""

from __future__ import annotations

import pytest

from buttress.config import Registry, Section, SectionSpec
from buttress.config.registry import hint
from buttress.errors import ConfigError
from tests.config.sections import SPECS, CacheSettings


@pytest.fixture
def registry() -> Registry:
    """Give the registry of the sections of these tests."""
    return Registry(SPECS, reserves=("RATELIMIT_",))


def test_a_field_has_the_key_of_its_section_and_name(registry):
    """The key is the prefix of the section and the name of the field."""
    field = registry.declared("CACHE_TTL")
    assert (field.section, field.name, field.secret) == ("cache", "ttl", False)


def test_a_field_may_have_a_key_of_its_own(registry):
    """A key given with the field replaces the one that would be made."""
    assert registry.declared("EVICTION_STYLE").name == "style"
    assert registry.declared("CACHE_STYLE") is None


def test_an_alias_leads_to_its_key(registry):
    """An alias is canonical for its key and is not declared itself."""
    assert registry.canonical("REDIS_URL") == "CACHE_URL"
    assert registry.declared("REDIS_URL") is None
    assert registry.canonical("NOWHERE") is None


def test_a_secret_field_is_known_as_one(registry):
    """The type of a field tells whether it is secret."""
    field = registry.declared("CACHE_PASSWORD")
    assert (field.secret, field.min_length) == (True, 0)


def test_descriptions_come_from_the_annotation(registry):
    """What Meta says of a field is kept for the tables."""
    assert registry.declared("CACHE_URL").description == "Where."


@pytest.mark.parametrize(
    ("name", "found"),
    [("CACHE_TLL", "CACHE_TTL"), ("REDIS_ULR", "CACHE_URL"), ("PROT", "PORT"), ("QQ", None)],
)
def test_the_nearest_key_is_suggested(registry, name, found):
    """A slip leads to the key that was meant, through the aliases too."""
    assert registry.nearest(name) == found


@pytest.mark.parametrize(
    ("section", "option", "key"),
    [
        ("cache", "ttl", "CACHE_TTL"),
        ("cache", "style", "EVICTION_STYLE"),
        ("cache", "redis-url", "REDIS_URL"),
        ("serving", "port", "PORT"),
        ("my-own", "some.thing", "MY_OWN_SOME_THING"),
        ("cache", "nowhere", "CACHE_NOWHERE"),
    ],
)
def test_an_option_of_a_section_has_a_key(registry, section, option, key):
    """Sections and options in any spelling lead to the flat key."""
    assert registry.key_in(section, option) == key


def test_sections_prefixes_and_reserves_are_known(registry):
    """The registry tells what is owned and what passes through."""
    assert registry.owns_section("Cache")
    assert not registry.owns_section("keyexchange")
    assert registry.owns_prefix("CACHE_ANY")
    assert not registry.owns_prefix("ANY")
    assert registry.reserved("RATELIMIT_DEFAULT")
    assert not Registry(SPECS).reserved("RATELIMIT_DEFAULT")


def test_two_sections_cannot_declare_one_key():
    """A name that two sections use is refused with both of them."""
    with pytest.raises(ConfigError, match="CACHE_URL is declared by the sections cache and again"):
        Registry([*SPECS, SectionSpec("again", CacheSettings, prefix="CACHE_")])


def test_an_alias_cannot_hide_a_key():
    """A key that another section has as an alias is refused as well."""

    class Redis(Section):
        url: str = ""

    with pytest.raises(ConfigError, match="REDIS_URL is declared by the sections cache and redis"):
        Registry([*SPECS, SectionSpec("redis", Redis)])


def test_a_hint_is_a_question_or_nothing():
    """A suggestion is worded only when there is one."""
    assert hint("PORT") == "; did you mean PORT?"
    assert hint(None) == ""
