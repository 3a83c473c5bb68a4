"""``buttress schedule``."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import project, run
from tests.cli.shop import Run, Write

__all__ = ["project", "run"]

MAIN = """
    from buttress import create_app

    app = create_app("shop", extensions=["log", "db", "schedule"], config={"LOG_LEVEL": "ERROR"})
    """
TASKS = """
    from pathlib import Path
    from buttress import cron, every


    @every(seconds=30, overlap="wait")
    def close_stale(tick):
        Path("closed").write_text(tick.job)


    @cron("0 3 * * *", name="nightly")
    def clean():
        raise RuntimeError("ice on the lift")
    """


@pytest.fixture
def shop(project: Write) -> Path:
    """Write an application with two jobs."""
    return project({"shop/main.py": MAIN, "shop/tasks.py": TASKS})


def test_ls(shop: Path, run: Run) -> None:
    """The jobs are listed with their times and policies, also before there are tables."""
    result = run("schedule", "ls")
    lines = result.stdout.splitlines()
    assert lines[0].split() == "JOB TIMES POLICIES LAST TICK NEXT TICK".split()
    assert lines[1].startswith("shop.tasks.close_stale  every 30 s")
    assert "misfire=once overlap=wait" in lines[1]
    assert lines[2].split()[:6] == "nightly 0 3 * * *".split()
    assert lines[2].endswith("T03:00:00Z")
    assert "warning: the database does not know" in result.stderr


def test_run(shop: Path, run: Run) -> None:
    """A job is run once, in this process; the schedule itself is not."""
    result = run("schedule", "run", "shop.tasks.close_stale", "--set", "SCHEDULE_RUN=true")
    assert (result.exit_code, result.stdout) == (0, "ran shop.tasks.close_stale\n")
    assert Path("closed").read_text() == "shop.tasks.close_stale"
    assert run("schedule", "ls").stdout.splitlines()[1].split()[-2] == "-"


def test_run_what_fails(shop: Path, run: Run) -> None:
    """What a job raises is seen by whoever ran it."""
    with pytest.raises(RuntimeError, match="ice on the lift"):
        run("schedule", "run", "nightly")


def test_run_what_is_not_there(shop: Path, run: Run) -> None:
    """A job that is not there is answered with those that are."""
    result = run("schedule", "run", "weekly")
    assert result.exit_code == 2
    assert "no scheduled job 'weekly'. There are: shop.tasks.close_stale, nightly." in result.output


def test_run_what_runs(shop: Path, run: Run) -> None:
    """A job that runs elsewhere and may not overlap is left alone."""
    run("schedule", "run", "shop.tasks.close_stale")
    with closing(sqlite3.connect(shop / "instance/shop.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE buttress_lease SET holder = 'x', until = 9e9")
    result = run("schedule", "run", "shop.tasks.close_stale")
    assert result.exit_code == 1
    assert "runs already, and may not overlap" in result.output


def test_without_a_schedule(project: Write, run: Run) -> None:
    """An application that has no schedule is told so."""
    project({"shop/main.py": 'from buttress import create_app\n\napp = create_app("shop")\n'})
    result = run("schedule", "ls")
    assert (result.exit_code, "has no 'schedule'" in result.output) == (2, True)
