"""The population: how applications, requests and changes are drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.engine.differential import catalogue, converters
from tests.engine.differential.answers import ANSWERS
from tests.engine.differential.building import AFTER, VALUES, VIEW_KINDS
from tests.engine.differential.calling import WAYS
from tests.engine.differential.changes import CHANGES
from tests.engine.differential.description import (
    App,
    Blueprint,
    Call,
    Case,
    Change,
    Endpoint,
    Hook,
    Rule,
    View,
)
from tests.engine.differential.oddities import CLASS_ODDITIES, INSTANCE_ODDITIES
from tests.engine.differential.requests import BODIES, COOKIES, SECRET
from tests.engine.differential.steps import ACTIONS, FAILURES, READS


@dataclass(frozen=True)
class Theme:
    """Say what a part of the population has much of; odds are "one time in"."""

    paths: tuple[str, ...] = ("/a", "/<x>", "/a/<int:n>", "/b/")
    answers: tuple[str, ...] = ("text", "dict", "view args", "jsonify")
    steps: tuple[str, ...] = (*READS, *READS, *ACTIONS, *ACTIONS, *FAILURES)
    hooks: tuple[str, ...] = catalogue.APP_HOOKS
    most_endpoints: int = 2
    most_steps: int = 1
    most_hooks: int = 1
    rule_option: int = 12
    view_kind: int = 12
    blueprint: int = 6
    config: int = 6
    kind_of_map: int = 12
    oddity: int = 12
    signals: int = 12
    odd_path: int = 12
    bad_value: int = 12
    odd_method: int = 6
    odd_request: int = 12
    change: int = 12


ANSWER_NAMES = tuple(ANSWERS)
THEMES: dict[str, Theme] = {
    "routes": Theme(
        catalogue.PATHS,
        ("view args", "text"),
        most_endpoints=5,
        rule_option=3,
        view_kind=6,
        blueprint=3,
        kind_of_map=5,
        odd_path=6,
        bad_value=3,
        odd_method=3,
    ),
    "answers": Theme(answers=ANSWER_NAMES, most_endpoints=6),
    "steps": Theme(most_endpoints=3, most_steps=5, odd_request=3),
    "hooks": Theme(most_hooks=6, blueprint=2, signals=3, answers=("text", "dict", *ANSWER_NAMES)),
    "errors": Theme(
        steps=(*FAILURES, *FAILURES, "json", "form key", "g"),
        hooks=("errorhandler",),
        most_endpoints=4,
        most_steps=2,
        most_hooks=9,
        blueprint=3,
        odd_path=4,
        odd_method=3,
    ),
    "changes": Theme(most_hooks=3, change=2, config=3, most_steps=2),
    "oddities": Theme(oddity=1, config=2, most_steps=2, most_hooks=2, odd_request=2),
    "anything": Theme(
        catalogue.PATHS, ANSWER_NAMES, most_endpoints=4, most_steps=3, most_hooks=3, odd_request=4
    ),
}
ODDS = {odds: st.sampled_from([False] * (odds - 1) + [True]) for odds in range(1, 13)}


@st.composite
def seldom(draw: Any, odds: int, strategy: st.SearchStrategy[Any], usual: Any) -> Any:
    """Draw the usual value, but one time in ``odds`` another."""
    return draw(strategy) if draw(ODDS[odds]) else usual


def up_to(most: int, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Draw at most so many, every number alike."""
    return st.sampled_from(range(most + 1)).flatmap(lambda number: st.tuples(*[strategy] * number))


@st.composite
def views(draw: Any, theme: Theme) -> View:
    """Draw a view."""
    return View(
        draw(up_to(theme.most_steps, st.sampled_from(theme.steps))),
        draw(st.sampled_from(theme.answers)),
        draw(seldom(theme.view_kind, st.sampled_from(tuple(VIEW_KINDS)), "function")),
    )


@st.composite
def rules(draw: Any, theme: Theme) -> tuple[Rule, ...]:
    """Draw the rules of an endpoint: one, or a group that belongs together."""
    if draw(ODDS[12]):
        return draw(st.sampled_from(catalogue.GROUPS))
    named = draw(seldom(theme.rule_option, st.sampled_from(tuple(catalogue.OPTIONS)), None))
    options = dict(catalogue.OPTIONS[named]) if named else {}
    if draw(ODDS[5]) and "websocket" not in options:
        options["methods"] = draw(st.sampled_from(catalogue.METHODS))
    return (Rule(draw(st.sampled_from(theme.paths)), options),)


@st.composite
def endpoints(draw: Any, theme: Theme, prefix: str) -> tuple[Endpoint, ...]:
    """Draw endpoints, each with a name of its own."""
    many = draw(st.sampled_from(range(1, theme.most_endpoints + 1)))
    drawn = ((draw(views(theme)), draw(rules(theme))) for _ in range(many))
    return tuple(Endpoint(f"{prefix}{number}", *it) for number, it in enumerate(drawn))


@st.composite
def hooks(draw: Any, theme: Theme, kinds: tuple[str, ...]) -> Hook:
    """Draw a hook of one of the kinds."""
    kind = draw(st.sampled_from(kinds))
    does, key = "nothing", None
    if kind.startswith("before"):
        does = draw(seldom(4, st.sampled_from(theme.answers), "nothing"))
    elif kind.startswith("after"):
        does = draw(st.sampled_from(tuple(AFTER)))
    elif "url_" in kind:
        does = draw(st.sampled_from(tuple(VALUES)))
    elif "errorhandler" in kind:
        does = draw(seldom(6, st.just("raise again"), draw(st.sampled_from(theme.answers))))
        key = draw(st.sampled_from(catalogue.KEYS))
    own = [step for step in theme.steps if not _runs_itself(kind, step)]
    steps = draw(seldom(3, st.tuples(st.sampled_from(own)), ()))
    return Hook(kind, does, steps, key)


def _runs_itself(kind: str, step: str) -> bool:
    """Tell whether a step in such a hook would call the hook again, without end."""
    return ("context_processor" in kind and "template" in step) or (
        "url_defaults" in kind and "url" in step
    )


@st.composite
def blueprints(draw: Any, theme: Theme, name: str, depth: int = 2) -> Blueprint:
    """Draw a blueprint, maybe with another inside."""
    inner = st.tuples(blueprints(theme, name + "i", depth - 1)) if depth > 1 else st.just(())
    return Blueprint(
        name,
        draw(endpoints(theme, name)),
        draw(up_to(theme.most_hooks, hooks(theme, catalogue.BLUEPRINT_HOOKS))),
        draw(st.sampled_from(catalogue.BLUEPRINT_OPTIONS)),
        draw(seldom(3, inner, ())),
    )


@st.composite
def configs(draw: Any) -> dict[str, Any]:
    """Draw one setting or two."""
    names = draw(st.lists(st.sampled_from(tuple(catalogue.CONFIG)), min_size=1, max_size=2))
    return {name: draw(st.sampled_from(catalogue.CONFIG[name])) for name in names}


@st.composite
def applications(draw: Any, theme: Theme) -> App:
    """Draw an application."""
    oddity = st.sampled_from((*CLASS_ODDITIES, *INSTANCE_ODDITIES))
    attributes = st.sampled_from([{name: it} for name, it in catalogue.URL_MAP.items()])
    return App(
        draw(endpoints(theme, "v")),
        draw(up_to(theme.most_hooks, hooks(theme, theme.hooks))),
        draw(seldom(theme.blueprint, st.tuples(blueprints(theme, "bp")), ())),
        {"SECRET_KEY": SECRET, **draw(seldom(theme.config, configs(), {}))},
        draw(seldom(theme.kind_of_map, st.sampled_from(catalogue.KINDS_OF_MAP), {})),
        draw(seldom(theme.kind_of_map, attributes, {})),
        draw(seldom(theme.oddity, st.tuples(oddity), ())),
        draw(seldom(theme.signals, st.sampled_from(catalogue.SIGNALS), None)),
    )


def templates(app: App) -> list[str]:
    """Give the paths of every rule of an application, prefixes included."""
    found = [rule.path for it in app.endpoints for rule in it.rules]
    return found + [path for it in app.blueprints for path in _templates_of(it)]


def _templates_of(blueprint: Blueprint) -> list[str]:
    prefix = blueprint.options.get("url_prefix", "").rstrip("/")
    own = [rule.path for it in blueprint.endpoints for rule in it.rules]
    inner = [path for it in blueprint.inner for path in _templates_of(it)]
    return [prefix + path for path in own + inner]


@st.composite
def paths(draw: Any, theme: Theme, known: list[str]) -> str:
    """Draw a path: mostly one that a rule was made for, filled in well or badly."""
    if draw(ODDS[theme.odd_path]):
        return draw(st.sampled_from(catalogue.ODD_PATHS))
    template = draw(st.sampled_from(known))
    filled = re.sub(r"<[^>]*>", lambda it: draw(values_for(theme, it[0])), template)
    change = draw(seldom(theme.bad_value, st.sampled_from(catalogue.MUTATIONS), str))
    return change(filled)


def values_for(theme: Theme, variable: str) -> st.SearchStrategy[str]:
    """Draw a text for a variable: one that may fit, or any."""
    fitting = (it for name, it in catalogue.FITTING.items() if name in variable)
    usual = st.sampled_from(next(fitting, ("a", "x", "é")))
    return (
        st.booleans().flatmap(lambda _: usual)
        if theme.bad_value > 3
        else st.one_of(usual, usual, st.sampled_from(converters.VALUES))
    )


environs = st.one_of(
    st.sampled_from(catalogue.ENVIRONS),
    st.sampled_from(catalogue.HOSTS).map(lambda it: {"HTTP_HOST": it}),
)


@st.composite
def calls(draw: Any, theme: Theme, known: list[str]) -> Call:
    """Draw a request."""
    odd = theme.odd_request
    method = draw(seldom(theme.odd_method, st.sampled_from(catalogue.REQUEST_METHODS), "GET"))
    headers = st.lists(st.sampled_from(catalogue.HEADERS), min_size=1, max_size=2).map(tuple)
    return Call(
        draw(paths(theme, known)),
        method,
        draw(seldom(odd, st.sampled_from(catalogue.QUERIES), "")),
        draw(seldom(odd, headers, ())),
        draw(seldom(2 if method == "POST" else odd, st.sampled_from(tuple(BODIES)), None)),
        draw(seldom(odd, st.sampled_from(COOKIES), None)),
        draw(seldom(odd, environs, {})),
        draw(seldom(6, st.sampled_from(tuple(WAYS)), "wsgi")),
        draw(seldom(12, st.sampled_from(["first piece", "nothing"]), "all")),
    )


@st.composite
def cases(draw: Any, theme: Theme) -> Case:
    """Draw an application, and several requests with a change now and then."""
    app = draw(applications(theme))
    change = st.sampled_from(tuple(CHANGES)).map(Change)
    call = calls(theme, templates(app))
    many = draw(st.sampled_from(range(5, 12)))
    return Case(
        app, tuple(draw(seldom(theme.change, change, None)) or draw(call) for _ in range(many))
    )
