"""``buttress worker``."""

from __future__ import annotations

import click

from buttress.cli.application import load_app
from buttress.cli.options import app_options, settings, target
from buttress.serving import leave_process, work


@click.command(epilog="\b\nExample:\n  buttress worker --app shop.app.main:app")
@app_options
def worker() -> None:
    """Run the consumers and the schedules, without HTTP, until SIGTERM or Ctrl-C.

    What is being handled is finished first. Run as many of these as there is work for.
    """
    # A handler that does not end in time would else keep the process.
    leave_process(work(load_app(target(), settings())))
