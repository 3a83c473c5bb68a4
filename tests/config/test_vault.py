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


def test_a_secret_is_kept_until_its_last_holder_lets_it_go():
    """Each holder counts once, however often it takes or gives back."""
    environ, vault = {"KEY": "tulip"}, Vault()
    for holder in ("a", "a", "b"):
        vault.take("KEY", environ, holder)
    assert vault.held("b") == ("KEY",)
    vault.give_back("a", environ)
    vault.give_back("a", environ)
    assert (vault.environ(), environ) == ({"KEY": "tulip"}, {})
    vault.give_back("b", environ)
    assert (vault.environ(), vault.held("b"), environ) == ({}, (), {"KEY": "tulip"})


def test_what_was_set_anew_stays():
    """A value that the environment has by now is not replaced by the one that was taken."""
    environ, vault = {"KEY": "tulip"}, Vault()
    vault.take("KEY", environ, "a")
    environ["KEY"] = "rose"
    vault.give_back("a", environ)
    assert environ == {"KEY": "rose"}


def test_each_holder_has_the_value_that_it_took():
    """When the holder of a newer value goes, that of the other one is there again."""
    vault = Vault()
    vault.take("KEY", {"KEY": "tulip"}, "a")
    vault.take("KEY", {"KEY": "rose"}, "b")
    assert vault.environ() == {"KEY": "rose"}
    vault.give_back("b", {})
    assert vault.environ() == {"KEY": "tulip"}


def test_a_file_replaces_what_was_taken():
    """Only where the environment does not have the variable itself again."""
    vault = Vault()
    vault.take("KEY", {"KEY": "tulip"})
    assert vault.replaced({"KEY_FILE": "x"}) == {"KEY"}
    assert vault.replaced({"KEY_FILE": "x", "KEY": "rose"}) == frozenset()
    assert vault.replaced({"OTHER_FILE": "x"}) == frozenset()


def test_what_was_never_set_is_not_taken():
    """A holder of nothing holds nothing."""
    vault = Vault()
    vault.take("KEY", {}, "a")
    assert (vault.held("a"), vault.environ()) == ((), {})
