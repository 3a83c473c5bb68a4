"""What a case reached, so that the population cannot shrink unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.engine.differential import catalogue
from tests.engine.differential.answers import ANSWERS
from tests.engine.differential.building import AFTER, VALUES, VIEW_KINDS
from tests.engine.differential.calling import WAYS, Outcome
from tests.engine.differential.changes import CHANGES
from tests.engine.differential.converters import CONVERTERS
from tests.engine.differential.description import App, Blueprint, Call, Case, Change, Endpoint
from tests.engine.differential.oddities import CLASS_ODDITIES, INSTANCE_ODDITIES
from tests.engine.differential.requests import BODIES, COOKIES
from tests.engine.differential.steps import STEPS

#: Events whose second word is the name of something that was reached.
NAMED = frozenset({"step", "answer", "override", "patch", "signal"})
CONVERTER = re.compile(r"<(\w+)(?:\([^)]*\))?:")

#: What each part of the population has to reach, by the theme's name.
EXPECTED: dict[str, set[str]] = {
    "routes": {
        *(f"rule {it}" for it in catalogue.OPTIONS),
        *(f"view {it}" for it in VIEW_KINDS),
        *(f"converter {it}" for it in ("int", "float", "string", "path", "any", "uuid")),
        *(f"converter {it}" for it in CONVERTERS),
        *(f"method {it}" for it in catalogue.REQUEST_METHODS),
        *(f"map {it}" for it in catalogue.URL_MAP),
        *(f"option {name}" for it in catalogue.KINDS_OF_MAP for name in it),
        *("two in a segment", "blueprint", "blueprint in a blueprint"),
        *(f"status {it}" for it in (200, 308, 404, 405)),
    },
    "answers": {*(f"answer {it}" for it in ANSWERS), *(f"via {it}" for it in WAYS)},
    "steps": {*(f"step {it}" for it in STEPS), *(f"body {it}" for it in BODIES)},
    "hooks": {
        *(f"hook {kind}" for kind in (*catalogue.APP_HOOKS, *catalogue.BLUEPRINT_HOOKS)),
        *(f"after {it}" for it in AFTER),
        *(f"values {it}" for it in VALUES),
        *(f"signal {it}" for it in catalogue.SIGNALS if "_" in it),
        "escaped",
    },
    "errors": {*(f"handler {key}" for key in catalogue.KEYS)},
    "changes": {*(f"change {it}" for it in CHANGES)},
    "oddities": {
        *(f"oddity {it}" for it in (*CLASS_ODDITIES, *INSTANCE_ODDITIES)),
        *(f"config {it}" for it in catalogue.CONFIG),
        *(f"cookie {it}" for it in COOKIES),
    },
    "anything": {"reads first piece", "reads nothing", "iteration", "status 500", "status 400"},
}


def reached(case: Case, outcomes: list[Outcome]) -> Iterator[str]:
    """Name what the requests of a case reached, once for each request."""
    views = dict(views_of(case.app))
    everywhere = set(features_of(case.app))
    if len(outcomes) != len(case.acts):
        return  # it could not be built
    for act, outcome in zip(case.acts, outcomes, strict=True):
        if isinstance(act, Change):
            everywhere.add(f"change {act.what}")
        else:
            yield from {"requests", *everywhere, *_in_call(act), *_in_outcome(outcome, views)}


def _in_call(call: Call) -> Iterator[str]:
    yield from (f"method {call.method}", f"via {call.via}", f"reads {call.reads}")
    yield from (f"body {call.body}", f"cookie {call.cookie}")


def _in_outcome(outcome: Outcome, views: dict[str, Endpoint]) -> Iterator[str]:
    yield f"status {str(outcome.status)[:3]}"
    yield from (kind for kind, _ in outcome.errors)
    for kind, *words in outcome.events:
        name, *more = words or [None]
        if kind in NAMED:
            yield f"{kind} {name}"
        elif kind == "hook":
            yield from (f"hook {name}", f"{_family(name)} {more[0]}")
        elif kind == "view":
            yield from _of_view(views.get(name))


def _family(kind: str) -> str:
    if kind.startswith("after"):
        return "after"
    return "values" if "url_" in kind else "handler" if "errorhandler" in kind else "does"


def _of_view(endpoint: Endpoint | None) -> Iterator[str]:
    if endpoint is not None:
        yield f"view {endpoint.view.kind}"
        for rule in endpoint.rules:
            yield from (f"converter {it}" for it in CONVERTER.findall(rule.path))
            if re.search(r">[^/]*<", rule.path):
                yield "two in a segment"
        if endpoint.name.startswith("bp"):
            yield "blueprint in a blueprint" if endpoint.name.startswith("bpi") else "blueprint"


def views_of(described: App | Blueprint) -> Iterator[tuple[str, Endpoint]]:
    """Give the endpoints of an application by their names, those of blueprints included."""
    for endpoint in described.endpoints:
        yield endpoint.name, endpoint
    for inner in described.blueprints if isinstance(described, App) else described.inner:
        yield from views_of(inner)


def features_of(app: App) -> Iterator[str]:
    """Name what an application has for all of its requests."""
    yield from (f"config {it}" for it in app.config)
    yield from (f"map {it}" for it in app.url_map)
    yield from (f"option {it}" for it in app.options)
    yield from (f"oddity {it}" for it in app.oddities)
    for _, endpoint in views_of(app):
        for rule in endpoint.rules:
            yield from (
                f"rule {name}" for name, it in catalogue.OPTIONS.items() if it == rule.options
            )
