"""The mode of a service, and Flask's flags that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from buttress.config.report import DEFAULT
from buttress.config.settings import Mode

FLAGS: dict[Mode, dict[str, bool]] = {
    "production": {"DEBUG": False, "TESTING": False},
    "development": {"DEBUG": True, "TESTING": False},
    "testing": {"TESTING": True},
}
"""Flags that a source may not set against the mode."""

FOLLOWING: dict[Mode, dict[str, bool]] = {
    "production": {"SESSION_COOKIE_SECURE": True},
    "development": {"SESSION_COOKIE_SECURE": False, "PROPAGATE_EXCEPTIONS": False},
    "testing": {"SESSION_COOKIE_SECURE": False},
}
"""Defaults that differ from mode to mode; any source may set them."""


_IGNORED = (
    "environment FLASK_DEBUG has no effect but under the command flask; "
    "set MODE to development for debugging"
)


class Candidate(msgspec.Struct, frozen=True):
    """Hold one converted value and where it comes from; the last of a key's candidates counts."""

    value: object
    origin: str


Candidates = Mapping[str, Sequence[Candidate]]


class Decision(msgspec.Struct, frozen=True):
    """Hold the mode, why it was chosen, what contradicts it, and what was ignored."""

    mode: Mode
    origin: str
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def decide(candidates: Candidates, environ: Mapping[str, str]) -> Decision:
    """Choose the mode: MODE, else TESTING or DEBUG, else production.

    ``FLASK_DEBUG`` counts before the default, but only under the command ``flask``, whose option
    ``--debug`` sets it: one that was left in an environment does not open a service.
    """
    given = {
        key: candidates[key][-1]
        for key in ("MODE", "TESTING", "DEBUG")
        if candidates.get(key) and candidates[key][-1].value is not None
    }
    if "MODE" not in given:
        return _inferred(given, environ)
    chosen = given["MODE"]
    mode: Mode = chosen.value  # type: ignore[assignment]  # converted to Mode already
    return Decision(mode, chosen.origin, tuple(_contradictions(mode, chosen, given)))


def _inferred(given: Mapping[str, Candidate], environ: Mapping[str, str]) -> Decision:
    flags: dict[str, Mode] = {"TESTING": "testing", "DEBUG": "development"}
    for key, mode in flags.items():
        if key in given and given[key].value:
            return Decision(mode, f"{key} in {given[key].origin}")
    if "DEBUG" in given or not flask_debug(environ):
        return Decision("production", DEFAULT)
    if environ.get("FLASK_RUN_FROM_CLI") == "true":
        return Decision("development", "environment FLASK_DEBUG")
    return Decision("production", DEFAULT, warnings=(_IGNORED,))


def _contradictions(mode: Mode, chosen: Candidate, given: Mapping[str, Candidate]) -> list[str]:
    """Name the flags that are on and should not be; one that is off yields to MODE."""
    return [
        f"{given[key].origin}: {key} is {given[key].value}, but MODE is {mode} "
        f"({chosen.origin}); remove {key}, it follows MODE"
        for key, wanted in FLAGS[mode].items()
        if key in given and given[key].value and not wanted
    ]


def flask_debug(environ: Mapping[str, str]) -> bool:
    """Read ``FLASK_DEBUG`` as Flask does."""
    return environ.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no")
