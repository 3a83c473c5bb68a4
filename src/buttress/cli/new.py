"""``buttress new``."""

from __future__ import annotations

from pathlib import Path

import click

from buttress.cli.project import layouts, write_project


@click.command(
    epilog="\b\nExamples:\n  buttress new shop && cd shop && buttress run\n"
    "  buttress new shop --layout backend"
)
@click.argument("name")
@click.option(
    "--layout",
    type=click.Choice(layouts()),
    default="gnar",
    show_default=True,
    help="How the project is laid out.",
)
def new(name: str, layout: str) -> None:
    """Write a project that runs at once, into the new folder NAME.

    It has a first route, a test that passes, and generated secrets in instance/, with mode 0600.

    \b
    gnar      two lines in NAME/app/main.py, handlers in folders beside it
    backend   create_app in NAME/__init__.py, settings in NAME/settings.py
    services  create_app in NAME/__init__.py, settings in etc/NAME.ini
    """
    write_project(Path.cwd() / name, name, layout)
    click.echo(f"{name} is written. Start it with: cd {name} && buttress run")
