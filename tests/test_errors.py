"""The error tree: codes, problems and what they carry."""

from __future__ import annotations

import pickle

import pytest

from buttress.errors import (
    AppNotFound,
    Code,
    ConfigError,
    DiscoveryError,
    ExtensionError,
    Problem,
    SetupError,
    Unavailable,
)


def test_every_code_but_the_general_one_has_its_status() -> None:
    """A code and its status lead to each other."""
    for code in Code:
        if code is not Code.HTTP_ERROR:
            assert code.status is not None
            assert Code.for_status(code.status) is code


def test_a_status_without_a_code_of_its_own_is_a_general_error() -> None:
    """418 has no code, so clients see the general word."""
    assert Code.for_status(418) is Code.HTTP_ERROR
    assert Code.HTTP_ERROR.status is None


def test_a_single_wrong_setting_is_one_sentence() -> None:
    """One problem is printed as it is."""
    assert str(ConfigError(["PORT is 'x'."])) == "PORT is 'x'."


def test_several_wrong_settings_are_listed() -> None:
    """All problems are printed, each on a line."""
    error = ConfigError(["a.", "b."])
    assert str(error) == "2 settings are wrong:\n  - a.\n  - b."
    assert error.problems == ("a.", "b.")
    assert isinstance(error, SetupError)


def test_a_problem_takes_the_status_of_its_code() -> None:
    """A known code needs no status."""
    problem = Problem(Code.CONFLICT, "The lift is closed.", lift="north")
    assert problem.code == 409
    assert problem.code_name == "conflict"
    assert problem.extra == {"lift": "north"}
    assert problem.name == "Conflict"


def test_a_problem_with_a_word_of_its_own_needs_a_status() -> None:
    """A service's own code says which status it has."""
    assert Problem("lift_closed", status=409).code == 409
    with pytest.raises(TypeError, match="needs a status"):
        Problem("lift_closed")


def test_unavailable_tells_when_to_come_back() -> None:
    """The 503 carries Retry-After in seconds."""
    error = Unavailable("The database is down.", retry_after=7)
    assert error.code == 503
    assert ("Retry-After", "7") in error.get_headers()


@pytest.mark.parametrize(
    "error",
    [
        ConfigError(["a.", "b."]),
        ExtensionError("snow", "There is no snow."),
        DiscoveryError("shop.app.a", "It does not load."),
        AppNotFound("Nowhere.", ["here", "there"]),
        Problem("full", "No seat.", status=409, headers={"X-Lift": "north"}, seats=0),
        Unavailable("Closed.", retry_after=9),
    ],
)
def test_an_error_survives_pickling(error: Exception) -> None:
    """Process pools hand errors on with all that they carry."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
