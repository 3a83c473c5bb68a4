"""Loading a whole configuration."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from flask import Flask

from buttress.config import COMMAND_LINE, VAULT, Secret, load
from tests.config.sections import GOOD, SPECS


def test_the_tree_and_its_projection_agree(shop):
    """A typed field and the flat key have the same value."""
    configuration = shop.load({"CACHE_TTL": "7", "SECRET_KEY": GOOD})
    assert configuration.settings.cache.ttl == configuration.values["CACHE_TTL"] == 7
    assert type(configuration.settings.flask.secret_key) is Secret
    assert f"{configuration.values['SECRET_KEY']}" == GOOD
    assert GOOD not in repr(configuration.values)


def test_a_flag_that_is_off_yields_to_the_mode(shop):
    """DEBUG = False in a file does not keep development from being one."""
    shop.write("shop/settings.py", "DEBUG = False")
    values = shop.load({"MODE": "development"}).values
    assert values["DEBUG"] is True


def test_without_configuration_flask_has_its_own_defaults(shop):
    """The projection of Flask's keys is what Flask would have, but for its session cookies."""
    values = shop.load().values
    assert {key: values[key] for key in Flask.default_config} == {
        **Flask.default_config,
        "DEBUG": False,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": True,
    }


def test_flasks_durations_are_durations(shop):
    """A lifetime in seconds becomes what Flask expects."""
    shop.environ["SHOP_PERMANENT_SESSION_LIFETIME"] = "3600"
    assert shop.load().values["PERMANENT_SESSION_LIFETIME"] == timedelta(hours=1)


@pytest.mark.parametrize(
    ("mode", "debug", "testing"),
    [("production", False, False), ("development", True, False), ("testing", False, True)],
)
def test_the_mode_decides_flasks_flags(shop, mode, debug, testing):
    """MODE is one key, and DEBUG and TESTING follow it in tree and projection."""
    configuration = shop.load({"MODE": mode})
    flask = configuration.settings.flask
    assert (flask.debug, flask.testing) == (debug, testing)
    assert (configuration.values["DEBUG"], configuration.values["TESTING"]) == (debug, testing)


@pytest.mark.parametrize(
    ("mode", "secure", "propagate"),
    [("production", True, None), ("development", False, False), ("testing", False, None)],
)
def test_defaults_that_follow_the_mode_are_in_the_tree(shop, mode, secure, propagate):
    """Tree, projection and rows have the same, and the rows tell that the mode decided."""
    configuration = shop.load({"MODE": mode})
    flask, values = configuration.settings.flask, configuration.values
    assert flask.session_cookie_secure is values["SESSION_COOKIE_SECURE"] is secure
    assert flask.propagate_exceptions is values["PROPAGATE_EXCEPTIONS"] is propagate
    assert shop.origin("SESSION_COOKIE_SECURE", configuration) == f"MODE={mode}"
    expected = "default" if propagate is None else f"MODE={mode}"
    assert shop.origin("PROPAGATE_EXCEPTIONS", configuration) == expected


def test_defaults_that_follow_the_mode_give_way_to_every_source(shop):
    """What somebody sets counts, also where it is off; None is left to the mode."""
    values = shop.load({"SESSION_COOKIE_SECURE": False, "SESSION_COOKIE_SAMESITE": None}).values
    assert (values["SESSION_COOKIE_SECURE"], values["SESSION_COOKIE_SAMESITE"]) == (False, None)
    given = {"MODE": "development", "PROPAGATE_EXCEPTIONS": True, "SESSION_COOKIE_SECURE": None}
    values = shop.load(given).values
    assert (values["PROPAGATE_EXCEPTIONS"], values["SESSION_COOKIE_SECURE"]) == (True, False)


def test_flasks_flag_sets_the_mode(shop):
    """TESTING=True is enough, and the report says so."""
    configuration = shop.load({"TESTING": True})
    assert configuration.settings.service.mode == "testing"
    assert shop.origin("MODE", configuration) == "TESTING in config="


def test_a_flag_that_is_none_follows_the_mode(shop):
    """None is what Flask has before anybody decides."""
    assert shop.load({"DEBUG": None, "MODE": "development"}).values["DEBUG"] is True


def test_a_flag_that_contradicts_the_mode_is_refused(shop):
    """The mistake is among the others."""
    shop.environ["SHOP_DEBUG"] = "yes"
    assert shop.problems({"MODE": "production"}) == (
        "environment SHOP_DEBUG: DEBUG is True, but MODE is production (config=); "
        "remove DEBUG, it follows MODE",
    )


def test_an_unknown_mode_is_refused(shop):
    """The nearest one is suggested."""
    (problem,) = shop.problems({"MODE": "develpment"})
    assert problem.endswith("production, development, testing; did you mean development?")


def test_the_process_environment_is_the_default(shop, monkeypatch):
    """Without an environment of its own, loading takes secrets out of the process's."""
    monkeypatch.setenv("SHOP_SECRET_KEY", GOOD)
    try:
        configuration = load(package="shop", prefix="SHOP", root_path=shop.folder, sections=SPECS)
        assert configuration.values["SECRET_KEY"] == GOOD
        assert "SHOP_SECRET_KEY" not in os.environ
        assert VAULT.environ() == {"SHOP_SECRET_KEY": GOOD}
    finally:
        VAULT.clear()


def test_an_environment_of_its_own_does_not_see_the_vault(shop):
    """Secrets of the process do not reach an environment that was given."""
    VAULT.take("SHOP_SECRET_KEY", {"SHOP_SECRET_KEY": GOOD})
    try:
        configuration = load(package="shop", prefix="SHOP", root_path=shop.folder, environ={})
        assert configuration.values["SECRET_KEY"] is None
    finally:
        VAULT.clear()


def test_the_command_line_says_nothing_by_default():
    """The CLI fills the variable, and nobody else has to."""
    assert dict(COMMAND_LINE.get()) == {}
