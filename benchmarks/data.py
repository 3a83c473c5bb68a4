"""State and messages beside what a user would write instead, in one run.

A read by primary key beside psycopg, consumers beside loops that take one message after the other,
a call to a peer beside a pooled session of requests. The servers are private ones that
`tools/services` starts, unless their URLs are in the environment. Run it with
``python -m benchmarks.data``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.cases.database import ReadTimes, read_times
from benchmarks.cases.messages import Rates, amqp_rates, memory_rates, sql_rates, sqs_rates
from benchmarks.cases.peers import PeerTimes, peer_times
from benchmarks.report.circumstances import circumstances
from benchmarks.report.result import FOLDER
from benchmarks.report.table import markdown

PACKAGES = ("sqlalchemy", "psycopg", "boto3", "moto", "kombu", "requests")
VARIABLES = ("TEST_POSTGRES_URL", "TEST_RABBITMQ_URL", "TEST_AWS_URL")


def main() -> None:
    """Measure everything, print it, and write it into a folder."""
    parser = argparse.ArgumentParser(prog="benchmarks.data", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER")
    options = parser.parse_args()
    if not all(variable in os.environ for variable in VARIABLES):
        itself = [sys.executable, "-m", "benchmarks.data", *sys.argv[1:]]
        sys.exit(subprocess.call([sys.executable, "-m", "tools.services", "run", *itself]))
    postgres, rabbitmq, aws = (os.environ[variable] for variable in VARIABLES)
    reads = read_times(postgres, options.rounds)
    count = options.messages
    rates = {
        "in memory": memory_rates(count),
        "SQLite": sql_rates(count),
        "PostgreSQL": sql_rates(count, postgres),
        "SQS (moto)": sqs_rates(aws, count),
        "RabbitMQ": amqp_rates(rabbitmq, count),
    }
    peers = peer_times(options.rounds)
    page = written(reads, rates, peers)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "data.md").write_text(page, encoding="utf-8")
    print(page)


def written(reads: ReadTimes, rates: dict[str, Rates], peers: PeerTimes) -> str:
    """Write the page."""
    sqs = rates["SQS (moto)"].ratio or 0.0
    parts = [
        "# State and messages",
        circumstances(PACKAGES),
        "## A read by primary key (PostgreSQL)",
        markdown(("", "µs"), [(name, f"{it:.0f}") for name, it in _reads(reads)]),
        "## Messages consumed",
        markdown(
            ("broker", "app.queues /s", "plain loop /s", "ratio"), [*map(_rate, *_pairs(rates))]
        ),
        "## A call to a peer",
        markdown(("", "µs"), [(name, f"{it:.0f}") for name, it in _peers(peers)]),
        "## Targets",
        "\n".join(
            [
                _verdict("`app.db.one` against psycopg", reads.ratio, 1.5, most=True),
                _verdict("SQS against a one-by-one boto3 loop", sqs, 3.0, most=False),
                _verdict("a peer against a plain session", peers.ratio, 1.2, most=True),
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _pairs(rates: dict[str, Rates]) -> tuple[list[str], list[Rates]]:
    return list(rates), list(rates.values())


def _reads(times: ReadTimes) -> list[tuple[str, float]]:
    return [
        ("`app.db.one`", times.one),
        ("psycopg, connection held", times.psycopg),
        ("SQLAlchemy Core, pooled", times.sqlalchemy),
    ]


def _peers(times: PeerTimes) -> list[tuple[str, float]]:
    return [
        ("`app.peer`", times.peer),
        ("requests, pooled session", times.plain),
        ("the same without `trust_env`", times.lean),
    ]


def _rate(name: str, rates: Rates) -> tuple[str, ...]:
    plain = "" if rates.plain is None else f"{rates.plain:.0f}"
    ratio = "" if rates.ratio is None else f"{rates.ratio:.1f}×"
    return (name, f"{rates.ours:.0f}", plain, ratio)


def _verdict(what: str, ratio: float, limit: float, *, most: bool) -> str:
    met = ratio <= limit if most else ratio >= limit
    sign = "≤" if most else "≥"
    return f"- {what}: {ratio:.2f}× (target {sign} {limit:g}×), {'met' if met else '**not met**'}"


if __name__ == "__main__":
    main()
