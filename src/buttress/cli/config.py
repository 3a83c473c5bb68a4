"""``buttress config``."""

from __future__ import annotations

import json

import click

from buttress.cli.options import app_options, the_app
from buttress.cli.table import print_table
from buttress.config.report import DEFAULT, Row


@click.command(epilog="\b\nExample:\n  buttress config --all | grep PORT")
@app_options
@click.option("--all", "everything", is_flag=True, help="List the defaults too.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def config(everything: bool, as_json: bool) -> None:
    """Show each setting, where it comes from, and what it overrode.

    Secrets are masked. Without --all, settings that have their default value are left out.
    """
    with the_app() as app:
        rows = [row for row in app.configuration.rows if everything or row.origin != DEFAULT]
    if as_json:
        click.echo(json.dumps([_document(row) for row in rows]))
    else:
        print_table(
            ("KEY", "VALUE", "SOURCE", "OVERRODE"),
            [(row.key, row.shown, row.origin, ", ".join(row.overrode)) for row in rows],
        )


def _document(row: Row) -> dict[str, object]:
    return {
        "key": row.key,
        "value": row.shown,
        "source": row.origin,
        "overrode": list(row.overrode),
    }
