"""``buttress auth``: why a request is let pass or refused."""

from __future__ import annotations

import sys

import click

from buttress.auth.explanation import explain
from buttress.auth.extension import AuthExtension
from buttress.cli.options import app_options, the_app


@click.group(epilog="\b\nExample:\n  buttress auth why /pistes -H 'Authorization: Bearer …'")
def auth() -> None:
    """Look into the decisions about requests."""


@auth.command()
@app_options
@click.option("-X", "--method", default="GET", show_default=True, help="The method.")
@click.option(
    "-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header; repeatable."
)
@click.option("--stdin", is_flag=True, help="Read more headers from standard input, one a line.")
@click.argument("path")
def why(path: str, method: str, headers: tuple[str, ...], stdin: bool) -> None:
    """Say why a request for PATH is let pass or refused.

    No view is called. Secrets on a command line are seen by others on this host: send them by
    --stdin.
    """
    more = sys.stdin.read().splitlines() if stdin else []
    pairs = [_header(line) for line in (*headers, *more) if line.strip()]
    with the_app() as app:
        app.use(AuthExtension)
        app.lifecycle.start(command=True)
        for line in explain(app, method.upper(), path, pairs):
            click.echo(line)


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{name[:40]!r} is no header: write NAME:VALUE.")
    if len(value.strip().splitlines()) > 1:
        raise click.BadParameter(f"The value of {name.strip()[:40]!r} has more than one line.")
    return name.strip(), value.strip()
