"""``buttress doctor``."""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future
from threading import Thread

import click

from buttress.cli.application import quiet
from buttress.cli.finding import Finding, report
from buttress.cli.options import app_options, the_app
from buttress.cli.version import versions
from buttress.extension import Slot
from buttress.service import Service

LONGEST = 3600.0
"""Seconds; a check that takes longer tells nothing."""


def _limited(_: click.Context, __: click.Parameter, value: float) -> float:
    if not 0 < value <= LONGEST:
        raise click.BadParameter(f"{value:g} is not a number of seconds up to {LONGEST:g}.")
    return value


@click.command(epilog="\b\nExample:\n  buttress doctor --timeout 2")
@app_options
@click.option(
    "--timeout",
    type=float,
    callback=_limited,
    default=10.0,
    show_default=True,
    help="Seconds that one check may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(timeout: float, as_json: bool) -> None:
    """Contact everything that the application depends on.

    Its extensions are started here, without consumers and schedules, checked one by one, and
    closed. Exits with 1 where one does not work.
    """
    with the_app() as app:
        findings = [Finding(name, True, number) for name, number in versions().items()]
        findings += examine(app, timeout)
        warnings = app.configuration.warnings
        ok = report(findings, warnings, as_json=as_json)
    sys.exit(0 if ok else 1)


def examine(app: Service, timeout: float) -> list[Finding]:
    """Start the extensions of an application and check each, for ``timeout`` seconds at most."""
    with quiet():
        try:
            app.lifecycle.start(command=True)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
            return [Finding("start", False, _sentence(error))]
        slots = [it for it in app.lifecycle.parts if isinstance(it, Slot) and it.checked]
        return [_examined(app, slot, timeout) for slot in slots]


def _examined(app: Service, slot: Slot, timeout: float) -> Finding:
    outcome: Future[str] = Future()
    began = time.monotonic()
    Thread(target=_check, args=(app, slot, outcome), daemon=True).start()
    try:
        problem = outcome.result(timeout)
    except TimeoutError:
        problem = f"no answer within {timeout:g} seconds"
    took = f"{(time.monotonic() - began) * 1000:.0f} ms"
    return Finding(slot.name, not problem, problem or took)


def _check(app: Service, slot: Slot, outcome: Future[str]) -> None:
    """Check one extension and leave what is wrong; nothing where it works."""
    try:
        with app.app_context():
            slot.check()
    except BaseException as error:  # noqa: BLE001  # SystemExit too: the other thread waits
        outcome.set_result(_sentence(error))
    else:
        outcome.set_result("")


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
