"""``buttress db``: the migrations of an application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from buttress.cli.group import Mistake
from buttress.cli.options import app_options, the_app
from buttress.cli.table import print_table
from buttress.db.extension import DbExtension, own_versions
from buttress.db.migrations import Migrations
from buttress.db.outage import Outage


@click.group(epilog="\b\nExample:\n  buttress db migrate -m 'add lifts' && buttress db upgrade")
def db() -> None:
    """Make and run the migrations of the database."""


@db.command()
@app_options
def init() -> None:
    """Make the folder of the application's migrations, in its package."""
    with the_app() as app:
        app.use(DbExtension)
        versions = own_versions(app) or Path(app.root_path, "migrations/versions")
    if versions.is_dir():
        raise Mistake(f"{versions} is there already.")
    versions.mkdir(parents=True)
    click.echo(f"made {versions}")


@db.command()
@app_options
@click.option("-m", "--message", required=True, help="What the migration does, in a few words.")
@click.option("--empty", is_flag=True, help="Do not compare the models with the database.")
def migrate(message: str, empty: bool) -> None:
    """Write a migration from what the database has to what the models say.

    Read it before you run it: a renamed column looks like one dropped and one added.
    """
    with migrations() as found:
        written = found.revise(message, empty=empty)
        click.echo(f"wrote {written}" if written else "the database is as the models say")


@db.command()
@app_options
@click.option("-m", "--message", default="merge", help="What is joined, in a few words.")
def merge(message: str) -> None:
    """Write a migration that joins two, which two people have written after the same one."""
    with migrations() as found:
        written = found.merge(message)
        click.echo(f"wrote {written}" if written else "the migrations have one end already")


@db.command()
@app_options
@click.argument("revision", default="heads")
@click.option("--location", help="Only this one: app, or the name of an extension.")
def upgrade(revision: str, location: str | None) -> None:
    """Run the migrations that the database lacks, up to REVISION.

    Several of these at once do no harm: one works, the others wait.
    """
    if revision != "heads" and location is None:
        location = "app"
    with migrations() as found:
        found.upgrade(location, revision)
        _print(found)


@db.command(context_settings={"ignore_unknown_options": True})  # -1 is none
@app_options
@click.argument("revision")
@click.option("--location", default="app", help="app, or the name of an extension.")
def downgrade(revision: str, location: str) -> None:
    """Take migrations back to REVISION; `-1` is one step, `base` before the first."""
    with migrations() as found:
        found.downgrade(revision, location)
        _print(found)


@db.command()
@app_options
def current() -> None:
    """Print how far the database has come; exits with 1 where it lacks migrations."""
    with migrations() as found:
        _print(found)
        if found.behind():
            raise SystemExit(1)


@contextmanager
def migrations() -> Iterator[Migrations]:
    """Give the migrations of the application that the options name; it is not started."""
    with the_app() as app:
        database = app.use(DbExtension)
        with _answering(database.outage):
            yield database.migrations


@contextmanager
def _answering(outage: Outage) -> Iterator[None]:
    """Say in a sentence that the database does not answer."""
    try:
        yield
    except Exception as error:
        if outage.reason is None:
            raise
        raise click.ClickException(f"The database does not answer: {outage.reason}") from error


def _print(found: Migrations) -> None:
    rows = [
        (
            each.location,
            ", ".join(each.current) or "-",
            ", ".join(each.heads) or "-",
            "ahead" if each.ahead else "behind" if each.behind else "current",
        )
        for each in found.standing()
    ]
    print_table(("LOCATION", "DATABASE", "NEWEST", "STATE"), rows)
