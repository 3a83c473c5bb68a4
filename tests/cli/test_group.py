"""The group: our commands, those of the application, and mistakes told plainly."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from buttress.cli import buttress
from buttress.cli.group import plainly
from buttress.errors import LifecycleError, SetupError, Unhealthy
from tests.cli.shop import SHOP, Run, Write

COMMANDS = """
    import click
    from flask import Blueprint, current_app

    blueprint = Blueprint("goods", __name__, cli_group=None)

    @blueprint.cli.command("count")
    @click.argument("number", type=int)
    def count(number):
        "Count the goods."
        click.echo(f"{current_app.package} {current_app.lifecycle.state} {number}")
"""


@pytest.fixture
def with_command(project: Write) -> Path:
    return project({**SHOP, "shop/api.py": COMMANDS})


def test_command_of_the_application(with_command: Path, run: Run) -> None:
    """A command of the application runs in its context, with the extensions started."""
    result = run("count", "3")
    assert (result.exit_code, result.stdout) == (0, "shop serving 3\n")


def test_mistake_in_a_command_of_the_application(with_command: Path, run: Run) -> None:
    """Its arguments are checked by click as ever."""
    result = run("count", "many")
    assert result.exit_code == 2
    assert "'many' is not a valid integer" in result.stderr


def test_help_lists_both(with_command: Path, run: Run) -> None:
    """The help lists our commands in their order, then those of the application."""
    _, _, listed = run("--help").stdout.partition("Commands:")
    ours, _, theirs = listed.partition("Commands of shop:")
    expected = buttress.list_commands(click.Context(buttress))
    assert [line.split()[0] for line in ours.splitlines() if line] == expected
    assert "count  Count the goods." in theirs


def test_help_without_application(project: Write, run: Run) -> None:
    """Where there is no application, the help is of our commands and says nothing else."""
    project({})
    result = run("--help")
    assert result.exit_code == 0
    assert "Commands of" not in result.stdout


def test_help_with_a_broken_application(project: Write, run: Run) -> None:
    """Where the application does not load, the help says why its commands are missing."""
    project({"shop/main.py": "app = ("})
    result = run("--help")
    assert result.exit_code == 0
    assert "They cannot be listed: shop.main does not load" in " ".join(result.stdout.split())


def test_our_commands_load_nothing(project: Write, run: Run) -> None:
    """A command of ours that needs no application does not load it."""
    project({"shop/main.py": "raise SystemExit(9)"})
    assert run("version").exit_code == 0


def test_unknown_command(shop: Path, run: Run) -> None:
    """A word that is no command is named."""
    result = run("rum")
    assert result.exit_code == 2
    assert "No such command 'rum'" in result.stderr


def test_unknown_command_without_application(project: Write, run: Run) -> None:
    """Where there is no application, the message says that too."""
    project({})
    result = run("rum")
    assert result.exit_code == 2
    assert "No such command 'rum', and there is no application" in result.stderr


def test_unknown_option(run: Run) -> None:
    """An option that is none is named."""
    result = run("run", "--prot", "1")
    assert result.exit_code == 2
    assert "No such option '--prot'" in result.stderr


@pytest.mark.parametrize("error", [SetupError, LifecycleError])
def test_plainly(error: type[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    """An error of ours is shown as it is, and ends with exit code 2."""
    with pytest.raises(click.ClickException) as caught, plainly():
        raise error("mend this")
    caught.value.show()
    assert (caught.value.exit_code, capsys.readouterr().err) == (2, "buttress: mend this\n")


def test_plainly_lets_others_pass() -> None:
    """What nobody has to mend beforehand is not turned into a mistake."""
    with pytest.raises(Unhealthy), plainly():
        raise Unhealthy("down")


def every(group: click.Group) -> list[click.Command]:
    inner = [
        it
        for command in group.commands.values()
        if isinstance(command, click.Group)
        for it in every(command)
    ]
    return [*group.commands.values(), *inner]


@pytest.mark.parametrize("command", [buttress, *every(buttress)], ids=lambda it: it.name)
def test_help(command: click.Command) -> None:
    """Every command and option is explained, and every command has an example."""
    assert command.help
    assert "Example" in str(command.epilog)
    options = [it for it in command.params if isinstance(it, click.Option)]
    assert [it.name for it in options if not it.help] == []
