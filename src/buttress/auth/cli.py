"""``buttress user``: who may log in."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import GetPassWarning

import click

from buttress.auth.extension import AuthExtension
from buttress.auth.users import User, UserExists, Users
from buttress.cli.group import Mistake
from buttress.cli.options import app_options, the_app
from buttress.cli.table import print_table
from buttress.errors import Unavailable

#: The fewest characters of a password that an operator sets (OWASP ASVS 5.0, 6.2.1).
SHORTEST = 8

stdin_option = click.option(
    "--stdin", is_flag=True, help="Read the password from standard input, its first line."
)
name_argument = click.argument("name")


@click.group(epilog="\b\nExample:\n  buttress user add --role admin ann")
def user() -> None:
    """Make users, and change their passwords and roles."""


@user.command()
@app_options
@stdin_option
@click.option("--email", help="Where mail for the user goes.")
@click.option("--role", "roles", multiple=True, help="A role of the user. Repeatable.")
@name_argument
def add(name: str, email: str | None, roles: tuple[str, ...], stdin: bool) -> None:
    """Make the user NAME; the password is asked for."""
    with users(changing=True) as found:
        known = found.get(name)
        if known is not None:  # which is told before a password is asked for
            raise UserExists(f"There is a user {known.name} already.")
        made = found.create(name, _password(stdin), email=email, roles=roles)
    click.echo(f"made {made.name}")


@user.command("list")
@app_options
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_users(limit: int, as_json: bool) -> None:
    """List the users by name."""
    with users() as found:
        listed = found.all(limit)
    if as_json:
        click.echo(json.dumps([_document(it) for it in listed]))
    else:
        print_table(("NAME", "EMAIL", "ROLES", "STATE"), [_row(it) for it in listed])


@user.command()
@app_options
@stdin_option
@name_argument
def passwd(name: str, stdin: bool) -> None:
    """Set the password of the user NAME; it is asked for."""
    with users(changing=True) as found:
        found.info(name)  # whoever is not there is told before a password is asked for
        found.change_password(name, _password(stdin))
    click.echo(f"{name} has a new password")


@user.command()
@app_options
@name_argument
def disable(name: str) -> None:
    """Let the user NAME neither log in nor use what was issued before."""
    with users(changing=True) as found:
        found.update(name, active=False)
    click.echo(f"{name} is disabled")


@user.command()
@app_options
@name_argument
def enable(name: str) -> None:
    """Let the user NAME log in again."""
    with users(changing=True) as found:
        found.update(name, active=True)
    click.echo(f"{name} is enabled")


@user.command()
@app_options
@click.option("--add", "added", multiple=True, help="Give the user this role. Repeatable.")
@click.option("--remove", "removed", multiple=True, help="Take this role away. Repeatable.")
@name_argument
def role(name: str, added: tuple[str, ...], removed: tuple[str, ...]) -> None:
    """Show the roles of the user NAME, or change them."""
    changing = bool(added or removed)
    with users(changing=changing) as found:
        roles = frozenset(found.info(name)["roles"])
        if changing:
            roles = found.update(name, roles=(roles | set(added)) - set(removed)).roles
    click.echo(f"{name}: {' '.join(sorted(roles)) or 'no roles'}")


@contextmanager
def users(*, changing: bool = False) -> Iterator[Users]:
    """Give the users of the application that the options name; it is not started."""
    with the_app() as app:
        found = app.use(AuthExtension).users
        if changing and found.name == "memory":
            raise Mistake(
                "AUTH_USERS=memory: has the users of each process apart, so nobody would see the "
                "change: keep them in a database, by the extension 'db' and AUTH_USERS=sql:."
            )
        try:
            yield found
        except Unavailable as error:
            raise click.ClickException(
                f"The users cannot be asked: {error.description} The log says more."
            ) from error
        except ValueError as error:  # a `UserError` is one
            raise Mistake(str(error)) from error


def _password(from_stdin: bool) -> str:
    """Get a new password; it is never on the command line, which others can see."""
    given = sys.stdin.readline().rstrip("\r\n") if from_stdin else _asked()
    if 0 < len(given) < SHORTEST:
        raise Mistake(f"The password is too short: it needs {SHORTEST} characters.")
    return given


def _asked() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        except GetPassWarning:
            raise Mistake(
                "There is no terminal to ask for the password: give it by --stdin."
            ) from None
    return asked


def _row(it: User) -> tuple[str, ...]:
    state = "active" if it.active else "disabled"
    return (it.name, it.email or "-", " ".join(sorted(it.roles)) or "-", state)


def _document(it: User) -> dict[str, object]:
    return {
        "id": it.id,
        "name": it.name,
        "email": it.email,
        "roles": sorted(it.roles),
        "active": it.active,
    }
