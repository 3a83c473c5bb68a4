"""``buttress version``."""

from __future__ import annotations

import platform
from importlib import metadata

import click

DISTRIBUTIONS = ("buttress", "flask", "werkzeug", "granian")


def versions() -> dict[str, str]:
    """Give the versions that a report of a fault should name."""
    return {
        **{name: metadata.version(name) for name in DISTRIBUTIONS},
        "python": platform.python_version(),
    }


@click.command(epilog="\b\nExample:\n  buttress version")
def version() -> None:
    """Print the versions of Buttress and of what it stands on."""
    for name, number in versions().items():
        click.echo(f"{name} {number}")
