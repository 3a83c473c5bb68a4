"""``buttress shell``."""

from __future__ import annotations

import code
import sys
import traceback
from typing import Any

import click

from buttress.cli.options import app_options, the_app
from buttress.service import Service


@click.command(epilog="\b\nExample:\n  buttress shell -c 'print(app.settings.serving.port)'")
@app_options
@click.option("-c", "source", metavar="CODE", help="Run this instead of asking for input.")
def shell(source: str | None) -> None:
    """Open Python with the application at hand.

    There is `app`, and what its shell context processors give. An app context is active. Code
    that is piped in is run as a whole.
    """
    with the_app() as app:
        app.lifecycle.start(command=True)
        with app.app_context():
            if source is None and not sys.stdin.isatty():
                source = sys.stdin.read()
            names = app.make_shell_context()
            _interact(app, names) if source is None else _execute(source, names)


def _execute(source: str, names: dict[str, Any]) -> None:
    """Run code; what it raises is shown from its own first line on, and ends with exit code 1."""
    names.setdefault("__name__", "__console__")
    try:
        exec(compile(source, "<shell>", "exec"), names)  # noqa: S102  # it is what the user asks for
    except Exception as error:  # noqa: BLE001  # shown as Python would
        began = error.__traceback__
        traceback.print_exception(error.with_traceback(began.tb_next if began else None))
        sys.exit(1)


def _interact(app: Service, names: dict[str, Any]) -> None:
    _complete(names)
    banner = f"Python {sys.version.split()[0]}, {app.name} in mode {app.mode}: see `app`."
    code.interact(banner, local=names, exitmsg="")


def _complete(names: dict[str, Any]) -> None:
    """Complete names with the tab key, where Python was built with readline."""
    try:
        import readline
        import rlcompleter
    except ImportError:
        return
    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
