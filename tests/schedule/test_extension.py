"""The extension: declaring jobs, leading, the heartbeat, draining."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from buttress import ConfigError, LifecycleError, Service, SetupError, create_app
from buttress.lifecycle import Deadline
from buttress.schedule import Tick
from buttress.schedule.moment import SECOND, now
from tests.databases import KINDS, fresh_database
from tests.db.test_guard import eventually
from tests.private import private_server
from tests.schedule.conftest import EXTENSIONS
from tests.services import Make

QUICK = {"SCHEDULE_LEASE": 0.5}


def counting(app: Service, **options: Any) -> list[Tick]:
    """Declare a job that is due twenty times a second, and give what it fills."""
    ticks: list[Tick] = []
    app.schedule.every(seconds=0.05, name="snow", **options)(ticks.append)
    return ticks


def report(app: Service) -> dict[str, Any]:
    """Give what the heartbeat says of the schedule."""
    body = app.test_client().get("/__heartbeat__").get_json()
    found: dict[str, Any] = body["checks"]["schedule"]
    return found


@pytest.mark.parametrize("kind", [*KINDS, "memory"])
def test_jobs_run(make: Make, kind: str, tmp_path: Path) -> None:
    """A service that serves runs its jobs at their nominal times, each tick once."""
    if kind == "memory":
        run_jobs(make, "sqlite://")
    else:
        with fresh_database(kind, tmp_path) as url:
            run_jobs(make, url)


def run_jobs(make: Make, url: str) -> None:
    """Run a job for a while, and fail where a tick is missing or doubled."""
    app = make(extensions=EXTENSIONS, DB_URL=url, DB_MIGRATE="upgrade", **QUICK)
    ticks = counting(app, misfire="all", overlap="wait")
    app.start()
    assert eventually(lambda: len(ticks) > 5)
    app.close()
    numbers = [round(tick.time.timestamp() / 0.05) for tick in ticks]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert min(tick.late for tick in ticks) >= 0


def test_marked_functions(package: Callable[[Mapping[str, str]], Path]) -> None:
    """Functions that are marked, free of any app, become jobs of the app that discovers them."""
    text = """
        import buttress

        @buttress.every(seconds=30, overlap="wait")
        def close_stale(): ...

        @buttress.cron("0 3 * * *", timezone="Europe/Paris", name="nightly")
        def clean(): ...
        """
    package({"shop/__init__.py": "", "shop/tasks.py": text})
    app = create_app("shop", extensions=EXTENSIONS, config={"MODE": "testing"})
    found = {name: (str(it.trigger), it.overlap) for name, it in app.schedule.jobs.items()}
    assert found == {
        "shop.tasks.close_stale": ("every 30 s", "wait"),
        "nightly": ("0 3 * * * (Europe/Paris)", "skip"),
    }
    app.close()


@pytest.mark.parametrize(
    ("declare", "problem"),
    [
        ("every(seconds=1, colour=2)", "unexpected keyword argument 'colour'"),
        ("every(seconds=0.001)", "at least 0.01 seconds"),
        ("every(seconds=1, offset='1')", "must be real number"),
        ("cron('99 * * * *')", "99"),
        ("cron('* * * * *', timezone='Mars')", "'Mars' is no time zone"),
    ],
)
def test_marks_that_are_wrong(
    package: Callable[[Mapping[str, str]], Path], declare: str, problem: str
) -> None:
    """A mistake in a mark keeps the service from starting, and names the function."""
    text = f"import buttress\n\n\n@buttress.{declare}\ndef tidy(): ...\n"
    package({"shop/__init__.py": "", "shop/tasks.py": text})
    app = create_app("shop", extensions=EXTENSIONS, config={"MODE": "testing"})
    with pytest.raises(SetupError, match=f"job 'shop.tasks.tidy': .*{problem}"):
        app.start()


def test_two_of_one_name(make: Make) -> None:
    """Two jobs of one name are refused."""
    app = make(extensions=EXTENSIONS)
    counting(app)
    with pytest.raises(SetupError, match="two scheduled jobs 'snow': give one of them another"):
        counting(app)


def test_a_name_that_is_too_long(make: Make) -> None:
    """A name that the database could not hold is refused."""
    app = make(extensions=EXTENSIONS)
    with pytest.raises(SetupError, match="name= of at most 175 characters"):
        app.schedule.cron("* * * * *", name="x" * 176)(print)


def test_too_late(make: Make) -> None:
    """A job that is declared after the start is refused, since it would never run."""
    app = make(extensions=EXTENSIONS)
    app.start()
    with pytest.raises(LifecycleError, match="'snow' comes too late"):
        counting(app)


@pytest.mark.parametrize(("run", "expected"), [(None, False), (True, True), (False, False)])
def test_in_a_foreign_container(make: Make, run: bool | None, expected: bool) -> None:
    """Where another container serves, jobs run only if the settings say so."""
    app = make(extensions=EXTENSIONS, SCHEDULE_RUN=run, **QUICK)
    ticks = counting(app)
    app.test_client().get("/")
    assert eventually(lambda: bool(ticks), 2 if expected else 0.3) is expected


def test_never_by_setting(make: Make) -> None:
    """With SCHEDULE_RUN=false a service runs no jobs."""
    app = make(extensions=EXTENSIONS, SCHEDULE_RUN=False, **QUICK)
    ticks = counting(app)
    app.start()
    assert not eventually(lambda: bool(ticks), 0.3)
    assert report(app)["details"]["leader"] is False


def test_the_heartbeat(make: Make) -> None:
    """The heartbeat tells who leads, and how each job fares."""
    app = make(extensions=EXTENSIONS, **QUICK)
    counting(app)
    app.schedule.every(seconds=0.05, name="ice")(lambda: 1 / 0)
    app.start()
    jobs = lambda: report(app)["details"]["jobs"]  # noqa: E731  # short
    assert eventually(lambda: jobs()["ice"]["failed"] > 0 and jobs()["snow"]["last"])
    found = report(app)
    assert (found["status"], found["details"]["leader"]) == ("ok", True)
    snow = found["details"]["jobs"]["snow"]
    assert sorted(snow) == ["failed", "last", "next", "running", "skipped"]
    assert (snow["failed"], snow["next"][-1]) == (0, "Z")
    assert datetime.fromisoformat(snow["next"]) > datetime.fromisoformat(snow["last"])


def test_a_dead_thread(make: Make) -> None:
    """A schedule whose thread has ended is not well."""
    app = make(extensions=EXTENSIONS, **QUICK)
    counting(app)
    app.start()
    assert report(app)["status"] == "ok"
    leader: Any = app.schedule._leader
    assert eventually(lambda: leader.leads)
    timer = leader._timer
    timer.stop()
    found = report(app)
    assert (found["status"], found["detail"]) == ("error", "A thread of the schedule has ended.")
    leader._timer = None


def test_what_others_log(make: Make) -> None:
    """An application that has APScheduler for itself hears of its errors."""
    app = make(extensions=EXTENSIONS, **QUICK)
    counting(app)
    app.start()
    assert eventually(lambda: report(app)["details"]["leader"])
    for name in ("apscheduler.scheduler", "apscheduler.executors.default"):
        assert logging.getLogger(name).isEnabledFor(logging.ERROR)


def test_one_leads(make: Make) -> None:
    """Of two processes one leads; when it drains the other goes on, and no tick is doubled."""
    one = make(extensions=EXTENSIONS, SCHEDULE_LEASE=2)
    other = make(extensions=EXTENSIONS, DB_URL=one.db.url.render_as_string(), SCHEDULE_LEASE=2)
    ticks = counting(one), counting(other)
    one.start()
    assert eventually(lambda: len(ticks[0]) > 2)
    other.start()
    time.sleep(0.3)
    assert ticks[1] == []
    one.lifecycle.drain(Deadline(5))
    assert eventually(lambda: len(ticks[1]) > 2)
    ran = [tick.time for tick in (*ticks[0], *ticks[1])]
    assert sorted(set(ran)) == ran


def test_the_lead_is_given_up(make: Make) -> None:
    """A process that drains gives the lead up at once, and its jobs."""
    app = make(extensions=EXTENSIONS, SCHEDULE_LEASE=60)
    ticks = counting(app)
    app.start()
    assert eventually(lambda: len(ticks) > 1)
    app.lifecycle.drain(Deadline(5))
    leases = app.db.all("SELECT name FROM buttress_lease WHERE until = 0 ORDER BY name")
    assert leases == ["schedule/shop", "schedule:shop:snow"]


def test_a_claim_that_fails(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that the database could not be told of is tried again, long before the next."""
    app = make(extensions=EXTENSIONS, SCHEDULE_LEASE=60)
    app.db.migrations.upgrade()
    ledger, tries, ticks = app.schedule.ledger, [], []
    ledger.meet("shop:snow", now() - 7200 * SECOND)
    claim = ledger.claim

    def fail_once(job: str, tick: int) -> bool:
        tries.append(tick)
        if len(tries) == 1:
            raise sa.exc.OperationalError("UPDATE", {}, Exception("no room"))
        return claim(job, tick)

    monkeypatch.setattr(ledger, "claim", fail_once)
    app.schedule.every(seconds=3600, name="snow")(ticks.append)
    app.start()
    assert eventually(lambda: bool(ticks))
    assert tries == [tries[0]] * 2


def test_a_clock_that_jumps(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that comes nearer because the clock was set ahead is not waited for any longer."""
    app = make(extensions=EXTENSIONS, **QUICK)
    ticks: list[Tick] = []
    app.schedule.every(seconds=3600, name="snow")(ticks.append)
    app.start()
    assert eventually(lambda: report(app)["details"]["leader"])

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(hours=1)

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Later)
    monkeypatch.setattr(app.schedule._cluster, "clock", lambda: now() + 3600 * SECOND)
    assert eventually(lambda: bool(ticks))


def test_services_that_share_a_database(make: Make) -> None:
    """Two services on one database do not take each other's ticks, nor the lead."""
    one = make("one", extensions=EXTENSIONS, **QUICK)
    other = make("two", extensions=EXTENSIONS, DB_URL=one.db.url.render_as_string(), **QUICK)
    ticks = counting(one), counting(other)
    one.start()
    other.start()
    assert eventually(lambda: min(map(len, ticks)) > 3)


def test_drain_waits(make: Make) -> None:
    """A drain takes no more ticks, and waits for the job that runs."""
    app = make(extensions=EXTENSIONS, **QUICK)
    begun, done = threading.Event(), []

    @app.schedule.every(seconds=0.05)
    def slow() -> None:
        begun.set()
        time.sleep(0.3)
        done.append(True)

    app.start()
    assert begun.wait(5)
    assert app.lifecycle.drain(Deadline(5)) == []
    assert done == [True]
    time.sleep(0.2)
    assert done == [True]


def test_drain_ends(make: Make) -> None:
    """A job that runs beyond the deadline is named."""
    app = make(extensions=EXTENSIONS, **QUICK)
    begun, end = threading.Event(), threading.Event()

    @app.schedule.every(seconds=0.05, name="slow")
    def slow() -> None:
        begun.set()
        end.wait(10)

    app.start()
    assert begun.wait(5)
    with pytest.raises(TimeoutError, match="scheduled jobs still run: slow"):
        app.schedule.drain(Deadline(0.2))
    end.set()


def test_a_long_run_keeps_its_lease(make: Make) -> None:
    """A run that takes longer than a lease is not overtaken by another process."""
    one = make(extensions=EXTENSIONS, SCHEDULE_LEASE=1.5)
    other = make(extensions=EXTENSIONS, DB_URL=one.db.url.render_as_string(), SCHEDULE_LEASE=1.5)
    ended: list[float] = []

    @one.schedule.every(seconds=0.05, name="snow")
    def slow() -> None:
        time.sleep(1.6)
        ended.append(time.time())

    ticks = counting(other)
    one.start()
    assert eventually(lambda: report(one)["details"]["jobs"]["snow"]["running"] == 1)
    other.start()
    one.schedule.drain(Deadline(5))
    assert eventually(lambda: bool(ticks))
    assert ticks[0].time.timestamp() + ticks[0].late >= ended[0]


def test_a_database_that_goes_and_comes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is gone nothing runs; then missed ticks are made up by themselves."""
    with private_server("postgres", monkeypatch) as server:
        app = make(extensions=EXTENSIONS, DB_URL=server.url, DB_MIGRATE="upgrade", **QUICK)
        ticks = counting(app, misfire="all", overlap="wait")
        app.start()
        assert eventually(lambda: len(ticks) > 3)
        server.stop()
        assert eventually(lambda: report(app)["status"] == "error")
        before = len(ticks)
        time.sleep(0.3)
        assert len(ticks) == before
        server.start()
        assert eventually(lambda: len(ticks) > before + 10, 10)
        app.close()
    numbers = [round(tick.time.timestamp() / 0.05) for tick in ticks]
    # The answer to one claim may be lost with the server.
    assert len(set(numbers)) == len(numbers) >= numbers[-1] - numbers[0]


def test_tables_that_come_later(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Where migrations are run by hand, jobs wait for them, without a complaint of their own."""
    app = make(extensions=EXTENSIONS, DB_MIGRATE="check", **QUICK)
    ticks = counting(app)
    app.start()
    time.sleep(0.2)
    assert ticks == []
    app.db.migrations.upgrade()
    assert eventually(lambda: len(ticks) > 1)
    assert [it for it in caplog.records if it.name == "buttress.loop"] == []


def test_without_jobs(make: Make) -> None:
    """A schedule without jobs seeks no lead."""
    app = make(extensions=EXTENSIONS)
    app.start()
    assert report(app)["details"] == {"leader": False, "jobs": {}}


def test_an_unknown_time_zone(make: Make) -> None:
    """A time zone that is not known is a mistake in the settings."""
    with pytest.raises(ConfigError, match="SCHEDULE_TIMEZONE: 'Mars/Olympus' is no time zone"):
        make(extensions=EXTENSIONS, SCHEDULE_TIMEZONE="Mars/Olympus")


def test_the_tables(make: Make) -> None:
    """The tables of leases and ticks come with migrations of their own, and go with them."""
    app = make(extensions=EXTENSIONS)
    app.db.migrations.upgrade()
    tables = {"buttress_lease", "buttress_tick"}
    assert tables <= set(sa.inspect(app.db.engine).get_table_names())
    for name in ("schedule", "db"):
        app.db.migrations.downgrade("base", name)
    assert not tables & set(sa.inspect(app.db.engine).get_table_names())
