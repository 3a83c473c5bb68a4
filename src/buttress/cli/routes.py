"""``buttress routes``."""

from __future__ import annotations

import inspect
import json
from typing import NamedTuple

import click

from buttress.cli.options import app_options, the_app
from buttress.cli.table import print_table
from buttress.health import Health
from buttress.service import Service


class Route(NamedTuple):
    """One rule of the application, and the module of its view."""

    rule: str
    methods: tuple[str, ...]
    endpoint: str
    module: str


@click.command(epilog="\b\nExample:\n  buttress routes --app shop.app.main:app")
@app_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def routes(as_json: bool) -> None:
    """List the routes and the modules of their views, and the health routes."""
    with the_app() as app:
        found = list_routes(app)
    if as_json:
        click.echo(json.dumps([route._asdict() for route in found]))
    else:
        print_table(
            ("RULE", "METHODS", "ENDPOINT", "MODULE"),
            [(it.rule, " ".join(it.methods), it.endpoint, it.module) for it in found],
        )


def list_routes(app: Service) -> list[Route]:
    """List the routes of an application, by rule; HEAD and OPTIONS go without saying."""
    found = [
        Route(
            rule.rule,
            tuple(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})),
            rule.endpoint,
            _module(app, rule.endpoint),
        )
        for rule in app.url_map.iter_rules()
    ]
    return sorted([*found, *_health_routes(app)])


def _health_routes(app: Service) -> list[Route]:
    """List what health answers before Flask comes in, where no route of the application stays."""
    slot = app.slot("health")
    if slot is None or not isinstance(slot.it, Health):
        return []
    taken = {rule.rule for rule in app.url_map.iter_rules()}
    paths = slot.it.reports.keys() - taken
    return [Route(path, ("GET",), "health", Health.__module__) for path in paths]


def _module(app: Service, endpoint: str) -> str:
    view = app.view_functions.get(endpoint)
    return "" if view is None else str(getattr(inspect.unwrap(view), "__module__", ""))
