"""What belongs to one endpoint: its view, and the hooks of the application and its blueprints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

from flask import Flask, current_app

from buttress.engine.flaskcompat import Rule, blueprint_path

Hook: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A rule with everything that runs for it, in the order of running."""

    rule: Rule | None
    #: ``None`` where there is no rule, or no view for it.
    view: Hook | None
    #: Receive endpoint and values of the path.
    preprocessors: tuple[Hook, ...]
    before: tuple[Hook, ...]
    after: tuple[Hook, ...]
    teardown: tuple[Hook, ...]
    teardown_app: tuple[Hook, ...]
    #: Whether the view is all that runs before the answer is made.
    simple: bool

    @property
    def name(self) -> str | None:
        """Give the text of the rule; ``None`` where no rule fits."""
        return None if self.rule is None else self.rule.rule


def route_of(app: Flask, rule: Rule | None) -> Route:
    """Make the route of a rule, or of the requests that no rule fits."""
    names = _blueprints(rule)
    inward = (None, *reversed(names))
    outward = (*names, None)
    view = None if rule is None else app.view_functions.get(rule.endpoint)
    preprocessors = tuple(_hooks(app.url_value_preprocessors, inward))
    before = _synchronous(app, _hooks(app.before_request_funcs, inward))
    return Route(
        rule=rule,
        view=None if view is None else _synchronous(app, [view])[0],
        preprocessors=preprocessors,
        before=before,
        after=_synchronous(app, _hooks(app.after_request_funcs, outward, reversed)),
        teardown=_synchronous(app, _hooks(app.teardown_request_funcs, outward, reversed)),
        teardown_app=_synchronous(app, reversed(app.teardown_appcontext_funcs)),
        simple=view is not None and not preprocessors and not before,
    )


def _blueprints(rule: Rule | None) -> list[str]:
    """Name the blueprint of a rule and those that it is nested in, from the inside."""
    endpoint = rule.endpoint if rule is not None else None
    name = endpoint.rpartition(".")[0] if isinstance(endpoint, str) else ""
    return blueprint_path(name) if name else []


def _hooks(
    table: Mapping[Any, Sequence[Hook]], names: Any, turned: Callable[[Any], Any] = iter
) -> list[Hook]:
    return list(chain.from_iterable(turned(table[name]) for name in names if name in table))


def _synchronous(app: Flask, hooks: Iterable[Hook]) -> tuple[Hook, ...]:
    return tuple(_ensured(app, hook) for hook in hooks)


def _ensured(app: Flask, hook: Hook) -> Hook:
    """Make a function synchronous; where that fails, let it fail when it is called."""
    try:
        return app.ensure_sync(hook)
    except Exception:  # noqa: BLE001 -- such as the RuntimeError where asgiref is missing
        return lambda *args, **kwargs: current_app.ensure_sync(hook)(*args, **kwargs)
