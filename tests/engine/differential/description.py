"""Applications and requests as plain data: what the strategies draw and a failure prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


class Plain:
    """Print a description without the fields that hold nothing."""

    def __repr__(self) -> str:
        held = {it.name: getattr(self, it.name) for it in fields(self)}  # type: ignore[arg-type]  # every subclass is a dataclass
        shown = (f"{name}={value!r}" for name, value in held.items() if value not in ((), {}, None))
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@dataclass(frozen=True, repr=False)
class View(Plain):
    """A view function: what it does, in order, and what it answers."""

    steps: tuple[str, ...] = ()
    answer: str = "text"
    kind: str = "function"


@dataclass(frozen=True, repr=False)
class Rule(Plain):
    """One URL rule, with the options of `flask.Flask.add_url_rule`."""

    path: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Endpoint(Plain):
    """A view and the rules that lead to it."""

    name: str
    view: View
    rules: tuple[Rule, ...]


@dataclass(frozen=True, repr=False)
class Hook(Plain):
    """A function that is registered by the method ``kind`` of an application or blueprint."""

    kind: str
    does: str
    steps: tuple[str, ...] = ()
    #: For error handlers: a status, or the name of an exception.
    key: int | str | None = None


@dataclass(frozen=True, repr=False)
class Blueprint(Plain):
    """A blueprint, with the options of its registration and the blueprints inside it."""

    name: str
    endpoints: tuple[Endpoint, ...] = ()
    hooks: tuple[Hook, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    inner: tuple[Blueprint, ...] = ()


@dataclass(frozen=True, repr=False)
class App(Plain):
    """An application."""

    endpoints: tuple[Endpoint, ...] = ()
    hooks: tuple[Hook, ...] = ()
    blueprints: tuple[Blueprint, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    #: Arguments of the constructor.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: Attributes of the URL map.
    url_map: Mapping[str, Any] = field(default_factory=dict)
    #: Names of what is unusual about the class or the instance, see ``oddities``.
    oddities: tuple[str, ...] = ()
    #: Who listens to the signals: ``own``, ``any``, or the name of a signal whose receiver fails.
    signals: str | None = None


@dataclass(frozen=True, repr=False)
class Call(Plain):
    """One request."""

    path: str = "/"
    method: str = "GET"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    #: The cookie header: a name in ``requests.COOKIES``.
    cookie: str | None = None
    #: Keys of the environ that are replaced, or removed where the value is `None`.
    environ: Mapping[str, Any] = field(default_factory=dict)
    #: How the application is called, see ``calling``.
    via: str = "wsgi"
    #: How much of the body is read before it is closed.
    reads: str = "all"


@dataclass(frozen=True, repr=False)
class Change(Plain):
    """Something that is done to the application between two requests, see ``changes``."""

    what: str


@dataclass(frozen=True, repr=False)
class Case(Plain):
    """An application, and what is done with it."""

    app: App
    acts: tuple[Call | Change, ...]
