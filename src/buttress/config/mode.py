"""The mode of a service, and Flask's flags that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from buttress.config.settings import Mode

FLAGS: dict[Mode, dict[str, bool]] = {
    "production": {"DEBUG": False, "TESTING": False},
    "development": {"DEBUG": True, "TESTING": False},
    "testing": {"TESTING": True},
}


class Candidate(msgspec.Struct, frozen=True):
    """Hold one converted value and where it comes from; the last of a key's candidates counts."""

    value: object
    origin: str


Candidates = Mapping[str, Sequence[Candidate]]


class Decision(msgspec.Struct, frozen=True):
    """Hold the mode, why it was chosen, and what contradicts it."""

    mode: Mode
    origin: str
    problems: tuple[str, ...] = ()


def decide(candidates: Candidates, environ: Mapping[str, str]) -> Decision:
    """Choose the mode: MODE, else TESTING or DEBUG, else ``FLASK_DEBUG``, else production."""
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
    if "DEBUG" not in given and flask_debug(environ):
        return Decision("development", "environment FLASK_DEBUG")
    return Decision("production", "default")


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
