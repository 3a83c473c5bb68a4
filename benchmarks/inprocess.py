"""Time per request inside one process: Service beside Flask, Falcon and a raw WSGI callable.

Each application is called as a WSGI server calls it, with a fresh environ, a `start_response` that
keeps what it gets, the body joined and closed. The process is pinned to one core. The applications
take turns in short rounds, so that a machine that changes its speed changes it for all; the
medians count, and their ratios within one run. Run it with ``python -m benchmarks.inprocess``.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from statistics import median

from benchmarks.cases.case import Case, check
from benchmarks.cases.every import every_case
from benchmarks.cases.outcome import TITLES, Place, result
from benchmarks.cases.timing import Times, timed
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
    pin()
    # The access records of the full stack go where those of the other applications are: nowhere.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        chosen = [it for it in every_case() if not options.only or it.name in options.only]
        measured = measure(chosen, options.rounds, options.calls)
    how = f"{options.rounds} rounds of {options.calls} calls"
    result(measured, how, circumstances(PACKAGES)).publish("inprocess", options.output)


def pin() -> None:
    """Keep this process on one core."""
    if not hasattr(os, "sched_setaffinity"):
        sys.exit("benchmarks.inprocess pins itself to one core, which needs Linux.")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def measure(chosen: Sequence[Case], rounds: int, calls: int) -> dict[Place, Times]:
    """Give the median times of every application, measured in turns."""
    for case in chosen:
        check(case)
    samples: dict[Place, list[Times]] = {}
    gc.collect()
    gc.freeze()
    for number in range(rounds + 1):
        print(f"\rround {number} of {rounds}", end="", file=sys.stderr, flush=True)
        for case in chosen:
            for subject, app in case.subjects.items():
                times = timed(app, case.request, calls)
                if number:  # the first round warms up
                    samples.setdefault((case.name, subject), []).append(times)
    print(file=sys.stderr)
    return {place: Times(*map(median, zip(*all_, strict=True))) for place, all_ in samples.items()}


if __name__ == "__main__":
    main()
