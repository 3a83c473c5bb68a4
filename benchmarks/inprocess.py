"""Time per request inside one process: Service beside Flask, Falcon and a raw WSGI callable.

Each application is called as a WSGI server calls it, with a fresh environ, a `start_response` that
keeps what it gets, the body joined and closed. The process is pinned to one core. The applications
take turns in short rounds, so that a machine that changes its speed changes it for all; the
medians count, and their ratios within one run. Run it with ``python -m benchmarks.inprocess``.
"""

from __future__ import annotations

import argparse
import os
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks.cases.every import every_case
from benchmarks.cases.outcome import TITLES, result
from benchmarks.cases.turns import measure, pin
from benchmarks.report.circumstances import circumstances
from benchmarks.report.result import FOLDER

PACKAGES = ("flask", "werkzeug", "falcon")


def main() -> None:
    """Measure, print the table, and write it with a chart into a folder."""
    parser = argparse.ArgumentParser(prog="benchmarks.inprocess", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=4000, help="of each application in a round")
    parser.add_argument("--only", choices=TITLES, action="append", help="a case; repeatable")
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER")
    options = parser.parse_args()
    pin("benchmarks.inprocess")
    # The access records of the full stack go where those of the other applications are: nowhere.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        chosen = [it for it in every_case() if not options.only or it.name in options.only]
        measured = measure(chosen, options.rounds, options.calls)
    how = f"{options.rounds} rounds of {options.calls} calls"
    result(measured, how, circumstances(PACKAGES)).publish("inprocess", options.output)


if __name__ == "__main__":
    main()
