"""Requests a second over real connections: Service beside its peers, one worker each.

Every server answers ``GET /items/42`` with a small JSON object to 32 kept connections of wrk. The
server has one core and wrk the other. The servers take turns, each started anew for every round;
medians count, and their ratios within one run. The processor time of a server's processes per
answered request is steadier than the throughput, on a machine that is not alone.

Then Service with one and with two workers has both cores, which the generator shares.

Run it with ``python -m benchmarks.http``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.load import wrk
from benchmarks.load.process import family, on_cores, processor_time
from benchmarks.load.server import Subject, serving
from benchmarks.load.subjects import (
    BLACKSHEEP,
    FALCON_GRANIAN,
    FASTAPI,
    FLASK_GUNICORN,
    FULL,
    LIMIT,
    SERVICE,
    on_gunicorn,
    service,
    subjects,
    wsgi_on_granian,
)
from benchmarks.report.chart import Bar, Group, chart
from benchmarks.report.circumstances import circumstances
from benchmarks.report.result import FOLDER, Result
from benchmarks.report.table import markdown
from benchmarks.report.target import Target, verdicts

TARGETS: tuple[Target[str], ...] = (
    Target("Service beside the limit", SERVICE, LIMIT, 0.7),
    Target("Service beside FastAPI", SERVICE, FASTAPI, 4),
    Target("Service beside BlackSheep", SERVICE, BLACKSHEEP, 1.5),
    Target("Service beside Falcon on the same server", SERVICE, FALCON_GRANIAN, 1.2),
    Target("Service beside Flask on gunicorn", SERVICE, FLASK_GUNICORN, 10),
    Target("full stack beside FastAPI bare", FULL, FASTAPI, 2.5),
)
PACKAGES = (
    "bjoern-binary blacksheep falcon fastapi flask granian gunicorn litestar starlette uvicorn"
).split()
#: Threads of granian and gunicorn: of 1, 4 and 16 the cheapest on granian, applications summed.
THREADS = 4
WARMUP = 1


class Figures(NamedTuple):
    """Requests a second, µs of processor time per request, 99th percentile in ms, failures."""

    rate: float
    cpu: float
    p99: float
    failed: float


class Cores(NamedTuple):
    """The cores of the server, and those of the load generator."""

    server: set[int]
    generator: set[int]


def main() -> None:
    """Measure, print the tables, and write them with a chart into a folder."""
    options = arguments()
    one, two = need_cores()
    if not shutil.which("wrk"):
        sys.exit("benchmarks.http needs wrk, the load generator: apt-get install wrk")
    # So that servers are ended by their context also when this program is told to end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    apart, shared = Cores({one}, {two}), Cores({one, two}, {one, two})
    if options.sweep:
        print(table(measure(sweep(), apart, options.rounds, options.seconds)))
        return
    chosen = [it for it in subjects(options.threads) if (options.only or "") in it.name]
    measured = measure(chosen, apart, options.rounds, options.seconds)
    pair = [] if options.only else workers(options.threads)
    scaled = measure(pair, shared, options.rounds, options.seconds)
    how = f"{options.rounds} rounds of {options.seconds} s after {WARMUP} s of warm-up"
    found = result(measured, scaled, how, options.threads, circumstances(PACKAGES))
    found.publish("http", options.output)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.http", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each server in a round")
    parser.add_argument("--threads", type=int, default=THREADS, help="of granian and gunicorn")
    parser.add_argument("--only", metavar="TEXT", help="only servers whose name holds it")
    parser.add_argument("--sweep", action="store_true", help="compare numbers of threads instead")
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER")
    return parser.parse_args()


def need_cores() -> tuple[int, int]:
    """Give two cores; ends the program where there are none to be had."""
    if not hasattr(os, "sched_getaffinity"):
        sys.exit("benchmarks.http pins processes to cores, which needs Linux.")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("benchmarks.http needs two cores, one for the server and one for wrk.")
    return cores[0], cores[1]


def sweep() -> list[Subject]:
    """List the WSGI applications on granian, and Flask on gunicorn, with several threads."""
    peers = {"raw": "raw:app", "Flask": "flask:app", "Falcon": "falcon:app"}
    found: list[Subject] = []
    for number in (1, 4, 16):
        found += [wsgi_on_granian(f"{it}, {number}", app, number) for it, app in peers.items()]
        found.append(service(f"Service, {number}", "bare", "granian", number))
        found.append(on_gunicorn(f"Flask on gunicorn, {number}", "flask:app", number))
    return found


def workers(threads: int) -> list[Subject]:
    """List Service with one and with two workers."""
    return [
        service(f"{number} worker{'s' * (number > 1)}", "bare", "granian", threads, number)
        for number in (1, 2)
    ]


def measure(
    chosen: Sequence[Subject], cores: Cores, rounds: int, seconds: int
) -> dict[str, Figures]:
    """Give the medians of every server, measured in turns."""
    samples: dict[str, list[Figures]] = {it.name: [] for it in chosen}
    for number in range(1, rounds + 1):
        for subject in chosen:
            print(f"round {number} of {rounds}: {subject.name}", file=sys.stderr, flush=True)
            samples[subject.name].append(loaded(subject, cores, seconds))
    return {
        name: Figures(*map(median, zip(*figures, strict=True))) for name, figures in samples.items()
    }


def loaded(subject: Subject, cores: Cores, seconds: int) -> Figures:
    """Start a server, put it under load, and end it."""
    with serving(subject, cores.server) as server, on_cores(cores.generator):
        url = server.url("/items/42")
        wrk.run(url, WARMUP)
        pids = family(server.process.pid)
        before = processor_time(pids)
        load = wrk.run(url, seconds)
        used = processor_time(pids) - before
    return Figures(load.rate, used / load.answered * 1e6, load.p99, load.failed)


def result(
    measured: Mapping[str, Figures],
    scaled: Mapping[str, Figures],
    how: str,
    threads: int,
    where: str,
) -> Result:
    """Write down what was measured."""
    rates = {name: it.rate for name, it in measured.items()}
    thrift = {name: 1 / it.cpu for name, it in measured.items()}
    title = "Requests a second over HTTP, one worker on one core"
    page = [
        f"# {title}",
        f"Medians of {how}, in turns; threads of granian and gunicorn: {threads}. {where}",
        table(measured),
        verdicts(TARGETS, rates, thrift),
    ]
    if scaled:
        page += ["Service on granian with two cores, which the generator shares:", table(scaled)]
    return Result("\n\n".join(page) + "\n", chart(title, [Group("", bars(measured))]))


def table(measured: Mapping[str, Figures]) -> str:
    """Write a line for each server, the fastest first; the ratio is to the fastest."""
    rows = [
        (
            name,
            f"{it.rate:,.0f}",
            f"{it.rate / _most(measured):.2f}",
            f"{it.cpu:.1f}",
            f"{it.p99:.2f}",
            f"{it.failed:.0f}",
        )
        for name, it in _fastest_first(measured)
    ]
    headings = ("server", "requests/s", "of the fastest", "CPU µs/request", "p99 ms", "failed")
    return markdown(headings, rows)


def bars(measured: Mapping[str, Figures]) -> list[Bar]:
    """Give a bar for each server, the fastest first."""
    return [
        Bar(name, it.rate, f"{it.rate:,.0f}", ours=name.startswith("Service"))
        for name, it in _fastest_first(measured)
    ]


def _fastest_first(measured: Mapping[str, Figures]) -> list[tuple[str, Figures]]:
    return sorted(measured.items(), key=lambda item: -item[1].rate)


def _most(measured: Mapping[str, Figures]) -> float:
    return max(it.rate for it in measured.values())


if __name__ == "__main__":
    main()
