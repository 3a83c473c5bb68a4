"""The settings that every service has."""

from __future__ import annotations

from datetime import timedelta

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
    """Others are only what follows MODE, and a session cookie that no other site sends."""
    ours = {field.key: field.default() for field in Registry(CORE).of_section("flask")}
    follow = dict.fromkeys(("TESTING", "SESSION_COOKIE_SECURE"))
    assert ours == {**Flask.default_config, **follow, "SESSION_COOKIE_SAMESITE": "Lax"}


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


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("MAX_CONTENT_LENGTH", -1, "a whole number, at least 0, or nothing"),
        ("MAX_FORM_MEMORY_SIZE", -1, "at least 0"),
        ("MAX_FORM_PARTS", "-1", "at least 0"),
        ("MAX_COOKIE_SIZE", -1, "at least 0"),
        ("SESSION_COOKIE_NAME", "my session", "without spaces"),
        ("SESSION_COOKIE_NAME", "a;b", "without spaces"),
        ("SESSION_COOKIE_NAME", "", "without spaces"),
        ("SESSION_COOKIE_NAME", "a\n", "without spaces"),
        ("SERVER_NAME", "https://shop.org", "as host or host:port, or nothing"),
        ("SERVER_NAME", "shop..org", "as host"),
        ("SERVER_NAME", "shop.org:", "as host"),
        ("SERVER_NAME", "shop.org:http", "as host"),
        ("SERVER_NAME", "shop.org/x", "as host"),
        ("APPLICATION_ROOT", "shop", "beginning with /"),
        ("PERMANENT_SESSION_LIFETIME", -1, "must be at least 0"),
        ("PERMANENT_SESSION_LIFETIME", 1e12, "at most 3155760000"),
        ("SEND_FILE_MAX_AGE_DEFAULT", "-5", "is -5 seconds, but must be at least 0"),
    ],
)
def test_what_flask_cannot_work_with_is_refused(shop, key, value, expected):
    """The mistake is told before the first request meets it."""
    (problem,) = shop.problems({key: value})
    assert key in problem
    assert expected in problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MAX_CONTENT_LENGTH", 0),
        ("MAX_FORM_PARTS", None),
        ("SESSION_COOKIE_NAME", "__Host-s"),
        ("SERVER_NAME", "localhost"),
        ("SERVER_NAME", "shop.example.org.:8000"),
        ("SERVER_NAME", "[::1]:80"),
        ("SERVER_NAME", "süd.example"),
        ("APPLICATION_ROOT", "/shop"),
        ("SEND_FILE_MAX_AGE_DEFAULT", timedelta(0)),
    ],
)
def test_what_flask_can_work_with_is_taken(shop, key, value):
    """The limits let through what is unusual and works."""
    assert shop.load({key: value}).values[key] == value


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
