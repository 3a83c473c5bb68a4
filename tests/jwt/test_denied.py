"""The deny-list, on every technology, and what processes know of each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from buttress import Unavailable
from buttress.jwt import JwtExtension, sql
from buttress.jwt.denied import Denied
from buttress.jwt.memory import OFTEN, MemoryDenied
from buttress.jwt.sql import PAUSE, TIDY, WITHIN, SqlDenied
from tests.databases import KINDS, fresh_database
from tests.jwt.conftest import SECRET, Clock
from tests.services import Make

NOW = 1_800_000_000.0
LATER = NOW + 3600


@pytest.fixture
def clock() -> Clock:
    """Give the time of day."""
    return Clock(NOW)


@pytest.fixture
def stopwatch() -> Clock:
    """Give the time since the start."""
    return Clock(0.0)


Process = Callable[[], Denied]


@pytest.fixture
def in_database(
    make: Make, clock: Clock, stopwatch: Clock, tmp_path: Path
) -> Iterator[Callable[[str], Process]]:
    """Give a function that makes processes which share a database of a kind."""
    with ExitStack() as stack:

        def made(kind: str) -> Process:
            url = stack.enter_context(fresh_database(kind, tmp_path))
            settings = {"DB_URL": url, "DB_MIGRATE": "upgrade", "JWT_SECRET_KEY": SECRET}
            app = make(extensions=["db", JwtExtension], **settings)
            app.lifecycle.start()
            stack.callback(app.close)
            return lambda: SqlDenied(app.db, clock, stopwatch)

        yield made


@pytest.fixture(params=KINDS)
def shared(request: pytest.FixtureRequest, in_database: Callable[[str], Process]) -> Process:
    """Give a function that makes the deny-list of one more process, which know of each other."""
    return in_database(request.param)


@pytest.fixture(params=("memory", *KINDS))
def process(
    request: pytest.FixtureRequest, clock: Clock, in_database: Callable[[str], Process]
) -> Process:
    """Give a function that makes the deny-list of one more process, of every technology."""
    if request.param == "memory":
        return lambda: MemoryDenied(clock)
    return in_database(request.param)


def test_an_id_is_refused(process: Process) -> None:
    """From now on, and others are not."""
    it = process()
    assert not it.has("a")
    assert it.add("a", LATER)
    assert it.has("a")
    assert it.has("b", "a")
    assert not it.has("b", "A", "a ")


def test_an_id_is_new_once(process: Process) -> None:
    """Who adds it first is told so, and nobody else."""
    it = process()
    assert [it.add("a", LATER) for _ in range(3)] == [True, False, False]
    assert it.add("A", LATER)


def test_of_many_threads_one_is_first(process: Process) -> None:
    """However many add the same id at once, it is new to one of them."""
    it = process()
    told: list[bool] = []
    threads = [threading.Thread(target=lambda: told.append(it.add("a", LATER))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False, False, False, True]


def test_what_has_ended_is_forgotten(clock: Clock) -> None:
    """A process keeps no more than the ids whose tokens could still be used."""
    it = MemoryDenied(clock)
    for number in range(OFTEN):
        it.add(f"{number}", NOW + 1)
    clock.now = NOW + 2
    it.add("new", LATER)
    assert len(it) == 1
    assert it.has("new")


def test_an_id_is_refused_until_its_latest_end(clock: Clock) -> None:
    """A second end that comes sooner changes nothing."""
    it = MemoryDenied(clock)
    it.add("a", LATER)
    it.add("a", NOW + 1)
    clock.now = NOW + 2
    for number in range(OFTEN):
        it.add(f"{number}", LATER)
    assert it.has("a")


def test_other_processes_learn_of_it(shared: Process, stopwatch: Clock) -> None:
    """Within five seconds, whatever was added before."""
    one, other = shared(), shared()
    assert not other.has("a")
    one.add("a", LATER)
    stopwatch.now += WITHIN
    assert other.has("a")
    one.add("b", LATER)
    assert not other.has("b")
    stopwatch.now += WITHIN
    assert other.has("b")


def test_an_addition_that_took_its_time(shared: Process, stopwatch: Clock) -> None:
    """One that was begun before what was seen last, and committed after it, is not missed."""
    one, other = shared(), shared()
    one.add("a", LATER)
    assert other.has("a")
    database = one._database  # type: ignore[attr-defined]  # what it wrote
    database.run(
        "INSERT INTO buttress_jwt_denied (id, until, noted) "
        "SELECT 'b', until, noted - 30 FROM buttress_jwt_denied WHERE id = 'a'"
    )
    stopwatch.now += WITHIN
    assert other.has("b")


def test_a_database_whose_clock_was_ahead(shared: Process, stopwatch: Clock) -> None:
    """After it was set right, what is added then is not missed."""
    one, other = shared(), shared()
    one.add("a", LATER)
    database = one._database  # type: ignore[attr-defined]  # what it wrote
    database.run("UPDATE buttress_jwt_denied SET noted = noted + 7200")
    assert other.has("a")
    one.add("b", LATER)
    stopwatch.now += WITHIN
    assert other.has("b")


def test_a_process_that_starts_later_knows_all(shared: Process) -> None:
    """The first look is at everything that has not ended."""
    one = shared()
    one.add("old", NOW - 1)
    one.add("a", LATER)
    other = shared()
    assert other.has("a")
    assert not other.has("old")


def test_an_id_is_new_once_for_all_processes(shared: Process) -> None:
    """Two processes that get one refresh token at once do not both take it."""
    assert (shared().add("a", LATER), shared().add("a", LATER)) == (True, False)


def test_a_look_is_not_made_for_each_request(
    shared: Process, stopwatch: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks nobody asks the database."""
    it = shared()
    it.has("a")
    monkeypatch.setattr(SqlDenied, "_look", lambda _: pytest.fail("it asks the database"))
    stopwatch.now += WITHIN - 0.1
    assert not it.has("a")


class Down:
    """A database that does not answer."""

    engine = create_engine("sqlite://")

    def __init__(self) -> None:
        self.asked = 0

    def all(self, *_: object) -> list[object]:
        """Fail, and count."""
        self.asked += 1
        raise OperationalError("", {}, Exception("down"))

    run = one = all


def test_nothing_is_accepted_while_the_list_is_not_known(stopwatch: Clock, clock: Clock) -> None:
    """It is 503, and the database is not asked by each of many requests."""
    down = Down()
    it = SqlDenied(down, clock, stopwatch)  # type: ignore[arg-type]  # one that is down
    for _ in range(5):
        with pytest.raises(Unavailable):
            it.has("a")
    assert down.asked == 1
    stopwatch.now += PAUSE
    with pytest.raises(Unavailable):
        it.has("a")
    assert down.asked == 2


def test_a_revocation_that_nobody_learns_of_fails(stopwatch: Clock, clock: Clock) -> None:
    """Who revokes a token while the database is down is told so."""
    it = SqlDenied(Down(), clock, stopwatch)  # type: ignore[arg-type]  # one that is down
    with pytest.raises(Unavailable, match="cannot be revoked"):
        it.add("a", LATER)


def test_the_table_is_tidied(shared: Process, clock: Clock, stopwatch: Clock) -> None:
    """Ids that ended long ago are removed once in an hour."""
    it = shared()
    it.add("old", NOW + 1)
    clock.now += TIDY + 2
    it.add("a", LATER + TIDY)
    database = it._database  # type: ignore[attr-defined]  # what it wrote
    count = "SELECT count(*) FROM buttress_jwt_denied"
    assert database.one(count) == 2
    stopwatch.now += TIDY
    it.add("b", LATER + TIDY)
    assert database.one(count) == 2
    assert sql.DENIED in database.migrations.locations
