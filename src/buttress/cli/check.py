"""``buttress check``."""

from __future__ import annotations

import sys

import click

from buttress.cli.finding import Finding, report
from buttress.cli.options import app_options, the_app
from buttress.errors import ButtressError
from buttress.service import Service
from buttress.serving import server_of


@click.command(epilog="\b\nExample:\n  buttress check && buttress run")
@app_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(as_json: bool) -> None:
    """Validate everything and start nothing.

    The application is loaded, with its settings, extensions and handlers. Exits with 2 where
    something must be mended.
    """
    try:
        with the_app() as app:
            findings, warnings = look(app), app.configuration.warnings
    except ButtressError as error:
        if not as_json:
            raise
        findings, warnings = [Finding("application", False, str(error))], ()
    sys.exit(0 if report(findings, warnings, as_json=as_json) else 2)


def look(app: Service) -> list[Finding]:
    """Look at a booted application, part by part.

    Raises `ServerError` where its server cannot be used.
    """
    server = server_of(app)
    names = [part.name for part in app.lifecycle.parts]
    rules = len(list(app.url_map.iter_rules()))
    return [
        Finding("application", True, f"{app.package}, mode {app.mode}"),
        Finding("settings", True, f"{len(app.configuration.rows)} settings"),
        Finding("extensions", True, " ".join(names) or "none"),
        Finding("handlers", True, f"{len(app.blueprints)} blueprints, {rules} routes"),
        *(Finding(name, False, text.strip()) for name, text in app.broken.items()),
        Finding("server", True, type(server).__name__.removesuffix("Server").lower()),
    ]
