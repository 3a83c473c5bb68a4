"""The settings that every service has."""

from __future__ import annotations

import pytest
from flask import Flask

from buttress.config import FlaskSettings, Registry, ServiceSettings, Settings
from buttress.config.settings import CORE
from tests.config.sections import CacheSettings


def test_the_flask_section_declares_every_key_of_flask():
    """No key that Flask reads is missing, and none is invented."""
    declared = {field.key for field in Registry(CORE).of_section("flask")}
    assert declared == set(Flask.default_config)


def test_the_defaults_of_the_flask_section_are_those_of_flask():
    """A service without configuration has Flask's own."""
    ours = {field.key: field.default() for field in Registry(CORE).of_section("flask")}
    assert ours == {**Flask.default_config, "TESTING": None}


def test_every_core_setting_is_described():
    """The generated tables have a sentence for each setting."""
    assert all(field.description.endswith(".") for field in Registry(CORE).fields.values())


@pytest.mark.parametrize("text", ["Lax", "strict", "None", None])
def test_samesite_is_spelt_as_flask_accepts_it(text):
    """The attribute may be in any case, or not set."""
    assert list(FlaskSettings(session_cookie_samesite=text).problems()) == []


def test_an_unknown_samesite_is_refused():
    """A value that would fail with the first cookie is told at once."""
    (problem,) = FlaskSettings(session_cookie_samesite="loose").problems()
    assert problem == ("SESSION_COOKIE_SAMESITE is 'loose', but must be one of Lax, Strict, None")


def test_a_section_is_an_attribute():
    """Built-in and third-party sections are found by name."""
    settings = Settings({"service": ServiceSettings(), "cache": CacheSettings(ttl=5)})
    assert settings.service.mode == "production"
    assert settings.cache.ttl == 5


def test_an_unknown_section_is_told_with_its_neighbour():
    """The AttributeError is a sentence."""
    settings = Settings({"cache": CacheSettings()})
    with pytest.raises(AttributeError, match="has settings called 'cach'; did you mean cache"):
        _ = settings.cach
    assert not hasattr(settings, "db")


def test_the_tree_cannot_be_changed():
    """A section cannot be replaced."""
    with pytest.raises(AttributeError):
        Settings({"flask": FlaskSettings()}).flask = None


def test_the_tree_lists_its_sections():
    """Sections can be iterated, and complete in a shell."""
    settings = Settings({"cache": CacheSettings()})
    assert dict(settings) == {"cache": CacheSettings()}
    assert "cache" in dir(settings)
