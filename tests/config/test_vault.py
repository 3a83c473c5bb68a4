"""The vault of secrets that were taken out of the environment."""

from __future__ import annotations

from buttress.config import Vault


def test_a_secret_that_is_taken_leaves_the_environment():
    """A variable is moved, not copied."""
    environ, vault = {"KEY": "tulip", "HOME": "/"}, Vault()
    vault.take("KEY", environ)
    assert environ == {"HOME": "/"}
    assert vault.environ() == {"KEY": "tulip"}


def test_the_environment_can_be_seen_as_it_was():
    """A second application still sees what the first one took."""
    environ, vault = {"KEY": "tulip"}, Vault()
    vault.take("KEY", environ)
    assert vault.over(environ)["KEY"] == "tulip"


def test_a_newer_value_wins_over_the_one_that_was_taken():
    """What the environment has now is stronger than the vault."""
    environ, vault = {"KEY": "tulip"}, Vault()
    vault.take("KEY", environ)
    environ["KEY"] = "rose"
    assert vault.over(environ)["KEY"] == "rose"


def test_taking_what_is_not_there_keeps_what_was_taken():
    """A second take of the same variable does not lose it."""
    environ, vault = {"KEY": "tulip"}, Vault()
    vault.take("KEY", environ)
    vault.take("KEY", environ)
    assert vault.environ() == {"KEY": "tulip"}


def test_clear_forgets():
    """A cleared vault has nothing to hand on."""
    environ, vault = {"KEY": "tulip"}, Vault()
    vault.take("KEY", environ)
    vault.clear()
    assert vault.environ() == {}
