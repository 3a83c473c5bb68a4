"""The time of a read by primary key: ``app.db.one`` beside psycopg on a connection that is held."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import psycopg
import sqlalchemy as sa

from benchmarks.cases.service import service

ROWS = 1000
SQL = "SELECT id, name FROM bench_lift WHERE id = %(id)s"


class ReadTimes(NamedTuple):
    """Microseconds per read."""

    one: float
    psycopg: float
    sqlalchemy: float

    @property
    def ratio(self) -> float:
        """Divide our time by the driver's."""
        return self.one / self.psycopg


def read_times(url: str, rounds: int = 9, calls: int = 2000) -> ReadTimes:
    """Measure all three, in turns; the first round warms up and does not count."""
    with service(["web", "health", "db"], DB_URL=url) as app, psycopg.connect(url) as held:
        held.autocommit = True
        _fill(held)
        engine = sa.create_engine(app.db.url, isolation_level="AUTOCOMMIT")
        text = sa.text(SQL.replace("%(id)s", ":id"))
        params = {"id": 42}

        def by_sqlalchemy() -> object:
            with engine.connect() as connection:
                return connection.execute(text, params).one()

        with app.app_context():
            subjects: list[Callable[[], object]] = [
                lambda: app.db.one(SQL, params),
                lambda: held.execute(SQL, params).fetchone(),
                by_sqlalchemy,
            ]
            samples = _in_turns(subjects, rounds, calls)
        engine.dispose()
        held.execute("DROP TABLE bench_lift")
    return ReadTimes(*samples)


def _fill(held: psycopg.Connection[tuple[object, ...]]) -> None:
    held.execute("DROP TABLE IF EXISTS bench_lift")
    held.execute("CREATE TABLE bench_lift (id INTEGER PRIMARY KEY, name TEXT)")
    held.execute(
        "INSERT INTO bench_lift SELECT n, 'lift ' || n FROM generate_series(1, %s) n", [ROWS]
    )


def _in_turns(subjects: list[Callable[[], object]], rounds: int, calls: int) -> list[float]:
    samples: list[list[float]] = [[] for _ in subjects]
    for number in range(rounds + 1):
        for times, call in zip(samples, subjects, strict=True):
            gc.collect()
            began = time.perf_counter()
            for _ in range(calls):
                call()
            if number:
                times.append((time.perf_counter() - began) / calls * 1e6)
    return [median(times) for times in samples]
