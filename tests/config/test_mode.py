"""The mode of a service."""

from __future__ import annotations

import pytest

from buttress.config.mode import Candidate, decide, flask_debug


def decided(environ: dict[str, str] | None = None, **given: object) -> tuple[str, str]:
    decision = decide({k: [Candidate(v, f"{k}.py")] for k, v in given.items()}, environ or {})
    assert decision.problems == ()
    return decision.mode, decision.origin


def test_production_is_the_default():
    """Nothing said means production."""
    assert decided() == ("production", "default")


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({"MODE": "testing"}, ("testing", "MODE.py")),
        ({"TESTING": True}, ("testing", "TESTING in TESTING.py")),
        ({"DEBUG": True}, ("development", "DEBUG in DEBUG.py")),
        ({"TESTING": True, "DEBUG": True}, ("testing", "TESTING in TESTING.py")),
        ({"TESTING": False, "DEBUG": None}, ("production", "default")),
    ],
)
def test_flasks_flags_set_the_mode_when_nothing_else_does(given, mode):
    """TESTING and DEBUG, as Flask's users write them, are understood."""
    assert decided(**given) == mode


def test_flask_debug_is_the_weakest_hint():
    """Under the flask command, the variable counts when no source says anything."""
    debug = {"FLASK_DEBUG": "1", "FLASK_RUN_FROM_CLI": "true"}
    assert decided(debug) == ("development", "environment FLASK_DEBUG")
    assert decided(debug, DEBUG=False) == ("production", "default")
    assert decided(debug, MODE="production") == ("production", "MODE.py")
    assert decided(debug, TESTING=True)[0] == "testing"


@pytest.mark.parametrize("command", [{}, {"FLASK_RUN_FROM_CLI": "false"}])
def test_flask_debug_alone_does_not_leave_production(command):
    """Elsewhere it is ignored, and the warning says what to set."""
    decision = decide({}, {"FLASK_DEBUG": "1", **command})
    assert (decision.mode, decision.origin) == ("production", "default")
    (warning,) = decision.warnings
    assert warning.startswith("environment FLASK_DEBUG has no effect")
    assert "set MODE to development" in warning


@pytest.mark.parametrize("given", [{"MODE": "production"}, {"DEBUG": False}, {"TESTING": True}])
def test_flask_debug_needs_no_warning_where_a_source_decides(given):
    """Who says what the mode is has no use for the variable."""
    candidates = {key: [Candidate(value, "x.py")] for key, value in given.items()}
    assert decide(candidates, {"FLASK_DEBUG": "1"}).warnings == ()


@pytest.mark.parametrize(
    ("text", "on"), [("1", True), ("yes", True), ("0", False), ("False", False), ("", False)]
)
def test_flask_debug_is_read_as_flask_reads_it(text, on, monkeypatch):
    """Our reading of the variable is that of Flask."""
    from flask.helpers import get_debug_flag

    monkeypatch.setenv("FLASK_DEBUG", text)
    assert flask_debug({"FLASK_DEBUG": text}) is on
    assert get_debug_flag() is on


@pytest.mark.parametrize(
    ("mode", "flags"),
    [
        ("production", {"DEBUG": False, "TESTING": False}),
        ("development", {"DEBUG": True, "TESTING": False}),
        ("testing", {"TESTING": True}),
        ("testing", {"TESTING": True, "DEBUG": True}),
        ("development", {"DEBUG": False}),
        ("testing", {"TESTING": False}),
    ],
)
def test_flags_may_agree_with_the_mode(mode, flags):
    """A flag that says the same as the mode, or that is off, is no mistake."""
    assert decided(MODE=mode, **flags)[0] == mode


@pytest.mark.parametrize(
    ("mode", "flags"),
    [
        ("production", {"DEBUG": True}),
        ("production", {"TESTING": True}),
        ("development", {"TESTING": True}),
    ],
)
def test_a_flag_that_contradicts_the_mode_is_told(mode, flags):
    """The sentence names both and where they are from."""
    given = {"MODE": mode, **flags}
    decision = decide({k: [Candidate(v, f"{k}.py")] for k, v in given.items()}, {})
    (name,) = flags
    assert decision.problems == (
        f"{name}.py: {name} is {flags[name]}, but MODE is {mode} (MODE.py); "
        f"remove {name}, it follows MODE",
    )
