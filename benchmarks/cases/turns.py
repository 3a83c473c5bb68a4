"""Applications take turns on one core, so that a machine that changes its speed does so for all."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from statistics import median

from benchmarks.cases.case import Case, check
from benchmarks.cases.outcome import Place
from benchmarks.cases.timing import Times, timed


def pin(name: str) -> None:
    """Keep this process on one core."""
    if not hasattr(os, "sched_setaffinity"):
        sys.exit(f"{name} pins itself to one core, which needs Linux.")
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
