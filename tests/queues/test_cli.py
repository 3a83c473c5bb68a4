"""``buttress queue`` and ``buttress worker``."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import project, run
from tests.cli.process import COMMAND, PATIENCE
from tests.cli.shop import Run, Write
from tests.queues.conftest import eventually

__all__ = ["project", "run"]

MAIN = """
    from buttress import create_app

    EXTENSIONS = ["log", "db", "queues"]
    CONFIG = {"LOG_LEVEL": "ERROR", "QUEUES_RETRY_DELAY": 0, "QUEUES_MAX_DELIVERIES": 1}
    app = create_app("shop", extensions=EXTENSIONS, config=CONFIG)


    @app.cli.command()
    def fill():
        app.db.migrations.upgrade()
        app.queues.broker.declare("snow")
        for body in ("good", "bad"):
            app.queues.send("snow", body)
    """
JOBS = """
    from pathlib import Path

    import buttress


    @buttress.consumer("snow")
    def measure(message):
        if message.body == "bad":
            raise RuntimeError("no snow")
        Path("handled.txt").write_text(message.body)
    """


@pytest.fixture
def shop(project: Write, run: Run) -> Path:
    """Write an application with two messages in its queue."""
    folder = project({"shop/main.py": MAIN, "shop/jobs.py": JOBS})
    assert run("fill").exit_code == 0
    return folder


def test_what_a_worker_leaves(shop: Path, run: Run) -> None:
    """A worker handles what is there until SIGTERM; dead letters are shown, replayed and purged."""
    assert run("queue", "ls").output.splitlines()[1].split()[:5] == ["snow", "2", "0", "0", "0"]
    assert "bad" in run("queue", "peek", "snow").output
    with subprocess.Popen([COMMAND, "worker"], cwd=shop) as worker:
        try:
            dead = lambda: run("queue", "ls").output.splitlines()[1].split()[4] == "1"  # noqa: E731  # short
            assert eventually(lambda: (shop / "handled.txt").exists() and dead(), PATIENCE)
        finally:
            worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    shown = json.loads(run("queue", "peek", "--dead", "--json", "snow").output)
    assert (shown["body"], "RuntimeError: no snow" in shown["reason"]) == ("bad", True)
    assert run("queue", "replay", "snow").output == "1 put back into snow\n"
    assert run("queue", "purge", "--yes", "snow").output == "1 messages of snow deleted\n"
    assert run("queue", "purge", "snow", input="n\n").exit_code == 1


def test_an_unknown_queue(shop: Path, run: Run) -> None:
    """A queue that is not there is one sentence."""
    result = run("queue", "peek", "ice")
    assert (result.exit_code, "no queue 'ice'" in result.output) == (2, True)


def test_a_queue_that_is_not_made_yet(project: Write, run: Run) -> None:
    """A queue whose consumer never ran is listed as such."""
    project({"shop/main.py": MAIN.replace("snow", "ice"), "shop/jobs.py": JOBS})
    run("fill")
    rows = [line.split()[0] for line in run("queue", "ls").output.splitlines()[1:]]
    assert rows == ["ice", "snow"]
    assert "not made yet" in run("queue", "ls").output
