"""A group of commands that takes in those of the application, and tells of mistakes plainly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import IO, Any, ClassVar

import click
from flask.cli import ScriptInfo

from buttress.cli.options import target, the_app
from buttress.errors import AppNotFound, ButtressError, LifecycleError, SetupError
from buttress.service import Service


class Mistake(click.ClickException):
    """Raised when the user has something to mend; shown as it is, with exit code 2."""

    exit_code: ClassVar[int] = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message on standard error."""
        click.echo(f"buttress: {self.format_message()}", file=file, err=file is None)


@contextmanager
def plainly() -> Iterator[None]:
    """Turn errors of ours into a `Mistake`, which prints no traceback."""
    try:
        yield
    except (SetupError, LifecycleError) as error:
        raise Mistake(str(error)) from error


class Commands(click.Group):
    """Our own commands in their order, and for any other word those of ``app.cli``.

    The application is loaded only when the word is not ours, or to list its commands.
    """

    #: Where the commands of capabilities are; their packages are imported only when asked for.
    CAPABILITIES: ClassVar[dict[str, str]] = {
        "db": "buttress.db.cli:db",
        "auth": "buttress.auth.why:auth",
        "user": "buttress.auth.cli:user",
        "queue": "buttress.queues.cli:queue",
        "schedule": "buttress.schedule.cli:schedule",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of our own commands, in the order in which they were added."""
        return [*self.commands, *self.CAPABILITIES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command of ours, or one of the application."""
        if cmd_name in self.CAPABILITIES:
            return self.of_capability(cmd_name)
        return super().get_command(ctx, cmd_name) or _command_of_app(ctx, cmd_name)

    def of_capability(self, name: str) -> click.Command:
        """Import a command of a capability; without its package it says what to install."""
        module, _, attribute = self.CAPABILITIES[name].partition(":")
        try:
            command: click.Command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            return _lacking(name, module.split(".")[1], error)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours ends it with one sentence and exit code 2."""
        with plainly():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List our commands, then those of the application, or why they cannot be listed."""
        super().format_commands(ctx, formatter)
        try:
            with ctx.scope(cleanup=False), the_app() as app:
                rows = [
                    (name, command.get_short_help_str(60))
                    for name, command in sorted(app.cli.commands.items())
                    if not command.hidden
                ]
        except ButtressError as error:
            if not isinstance(error, AppNotFound) or target() is not None:
                with formatter.section("Commands of the application"):
                    formatter.write_text(f"They cannot be listed: {error}")
            return
        if rows:
            with formatter.section(f"Commands of {app.name}"):
                formatter.write_dl(rows)


def _lacking(name: str, extra: str, error: ModuleNotFoundError) -> click.Command:
    sentence = f"needs the package '{error.name}': pip install 'buttress[{extra}]'"

    def refuse(**_: object) -> None:
        raise Mistake(f"`buttress {name}` {sentence}.")

    return click.Command(
        name,
        callback=refuse,
        params=[click.Argument(["words"], nargs=-1)],
        context_settings={"ignore_unknown_options": True},
        help=f"Not available: it {sentence}.",
    )


def _command_of_app(ctx: click.Context, name: str) -> click.Command | None:
    """Find a command of the application, which then stays open until the command has ended."""
    if name.startswith("-"):
        return None
    try:
        app = ctx.with_resource(the_app())
    except AppNotFound as error:
        raise click.UsageError(
            f"No such command {name!r}, and there is no application that could have it: {error}"
        ) from error
    command = app.cli.get_command(ctx, name)
    if command is not None:
        ctx.obj = ScriptInfo(create_app=lambda: app)
        _enter(ctx, app)
    return command


def _enter(ctx: click.Context, app: Service) -> None:
    app.lifecycle.start(command=True)
    ctx.with_resource(app.app_context())
