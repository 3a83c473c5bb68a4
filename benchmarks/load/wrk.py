"""The load generator wrk: run it, and read what it says."""

from __future__ import annotations

import re
import subprocess
from typing import NamedTuple

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.M)
COUNT = re.compile(r"^\s*(\d+) requests in ", re.M)
SLOWEST = re.compile(r"^\s*99%\s+([\d.]+)(us|ms|s|m)$", re.M)
ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")


class Load(NamedTuple):
    """What wrk saw: requests a second, answers, the 99th percentile in ms, failed requests."""

    rate: float
    answered: int
    p99: float
    failed: int


class NotUnderstood(Exception):
    """Raised when wrk says something else than expected."""


def run(url: str, seconds: int, *, connections: int = 32) -> Load:
    """Keep so many connections busy for so long. Raises `CalledProcessError` where wrk fails."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    return read(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def read(text: str) -> Load:
    """Read the report of wrk. Raises `NotUnderstood` where a figure is missing."""
    rate, count, slowest = RATE.search(text), COUNT.search(text), SLOWEST.search(text)
    if not (rate and count and slowest):
        raise NotUnderstood(f"wrk said:\n{text}")
    p99 = float(slowest[1]) * UNITS[slowest[2]]
    return Load(float(rate[1]), int(count[1]), p99, _failed(text))


def _failed(text: str) -> int:
    found = (ERRORS.search(text), REFUSED.search(text))
    return sum(int(number) for match in found if match for number in match.groups())
