"""Boot time and resident memory of ``create_app`` with the default set, beside bare Flask.

Both run in fresh interpreters, in turn, on an empty package; the medians and their ratio count.
Run it with ``python -m benchmarks.boot [rounds]``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

MEASURE = """
import resource, sys, time
began = time.perf_counter()
{code}
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(seconds * 1000, peak / (1024 * 1024 if sys.platform == "darwin" else 1024))
"""
FLASK = "from flask import Flask; app = Flask('bench_app')"
BUTTRESS = "from buttress import create_app; app = create_app('bench_app')"


class Boot(NamedTuple):
    """One boot: milliseconds from the first import to the application, and peak MB."""

    milliseconds: float
    megabytes: float


def main(rounds: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bench_app").mkdir()
        (Path(folder) / "bench_app" / "__init__.py").touch()
        measured: dict[str, list[Boot]] = {FLASK: [], BUTTRESS: []}
        for number in range(rounds + 1):
            for code, boots in measured.items():
                boot = run(code, folder)
                if number:  # the first round warms the file cache
                    boots.append(boot)
    print_table(middle(measured[FLASK]), middle(measured[BUTTRESS]), rounds)


def run(code: str, folder: str) -> Boot:
    """Boot once in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(code=code)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": folder},
        capture_output=True,
        text=True,
        check=True,
    )
    return Boot(*map(float, done.stdout.splitlines()[-1].split()))


def middle(boots: list[Boot]) -> Boot:
    """Give the median of each figure."""
    return Boot(*map(median, zip(*boots, strict=True)))


def print_table(flask: Boot, ours: Boot, rounds: int) -> None:
    """Print medians and ratios as Markdown."""
    print(f"Medians of {rounds} boots each, in turn, in fresh interpreters.\n")
    print("| | time (ms) | peak memory (MB) |\n|---|---|---|")
    print(f"| `Flask(name)` | {flask.milliseconds:.1f} | {flask.megabytes:.1f} |")
    print(f"| `create_app(name)`, default set | {ours.milliseconds:.1f} | {ours.megabytes:.1f} |")
    time, memory = ours.milliseconds / flask.milliseconds, ours.megabytes / flask.megabytes
    print(f"| ratio (targets: 1.5, 1.3) | {time:.2f} | {memory:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
