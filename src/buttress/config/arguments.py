"""Values that come from code: ``config=``, the parameters of a façade, the command line."""

from __future__ import annotations

from collections.abc import Mapping

from buttress.config.given import Findings, Given, Layer


def from_config(arguments: object, findings: Findings) -> Layer:
    """Take the caller's ``config=``, a mapping with upper-case names, or ``None``."""
    if arguments is None:
        return []
    if not isinstance(arguments, Mapping):
        findings.problems.append(
            "config= must be a mapping such as {'PORT': 8000}, "
            f"not of the type {type(arguments).__name__}"
        )
        return []
    wrong = [name for name in arguments if not isinstance(name, str) or not name.isupper()]
    findings.problems += [
        f"config=: {name!r} is not the name of a setting{_spelling(name)}" for name in wrong
    ]
    return [Given(name, arguments[name], "config=") for name in arguments if name not in wrong]


def _spelling(name: object) -> str:
    upper = name.upper() if isinstance(name, str) else ""
    return f"; write {upper!r}" if upper.isupper() else ""


def from_facade(values: Mapping[str, object], origin: str) -> Layer:
    """Take what a façade says; ``origin`` has a place for the name."""
    return [Given(name, value, origin.format(name)) for name, value in values.items()]


def from_command_line(values: Mapping[str, object]) -> Layer:
    """Take what the command line sets; it makes no setting of its own."""
    return [
        Given(name, value, f"command line --{name.lower().replace('_', '-')}", undeclared="new")
        for name, value in values.items()
    ]
