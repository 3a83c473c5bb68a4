"""The command itself: our subcommands, then those of the application that is found."""

from __future__ import annotations

import click

from buttress.cli.check import check
from buttress.cli.config import config
from buttress.cli.doctor import doctor
from buttress.cli.group import Commands
from buttress.cli.new import new
from buttress.cli.options import app_options
from buttress.cli.routes import routes
from buttress.cli.run import run
from buttress.cli.secret import secret
from buttress.cli.shell import shell
from buttress.cli.version import version
from buttress.cli.worker import worker


@click.group(
    cls=Commands,
    epilog="\b\nExample:\n  buttress new shop && cd shop && buttress run",
)
@app_options
def buttress() -> None:
    """Make, check and serve Flask services.

    The application is the one of the current folder, unless --app names another. Exit codes:
    0 for success, 1 for a failure at run time, 2 for a mistake to mend first.
    """


for command in (new, run, worker, check, config, routes, doctor, shell, secret, version):
    buttress.add_command(command)


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    buttress(prog_name="buttress")
