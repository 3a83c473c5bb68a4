"""Several processes share a schedule: no tick is run twice, missed ones as the policy says."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.databases import KINDS, fresh_database
from tests.schedule.cluster import GRACE, Processes, processes

PERIOD, LEASE = 0.05, 0.6
#: Seconds by which a tick may be later than it should on a busy machine.
SLACK = 2.0


def kill_leaders(cluster: Processes, kills: int, ticks: int) -> None:
    """Kill the leader again and again, always replaced, until so many ticks have passed."""
    end = time.monotonic() + ticks * PERIOD
    for left in range(kills, 0, -1):
        time.sleep(max(0.1, (end - time.monotonic()) / (left + 1)))
        leader = cluster.leader()
        cluster.end(leader, signal.SIGKILL)
        cluster.start()
    cluster.leader()
    time.sleep(max(0.5, end - time.monotonic()))


def expect_no_double(cluster: Processes) -> None:
    """Fail where a tick was run twice."""
    doubles = "SELECT job, tick, COUNT(*) FROM ran GROUP BY job, tick HAVING COUNT(*) > 1"
    assert cluster.query(doubles) == []


def missing(cluster: Processes, job: str) -> int:
    """Count the ticks between the first and the last that a job did not run."""
    ran, _ = cluster.ran(job)
    return len(set(range(ran[0], ran[-1])) - set(ran))


def expect_policies(cluster: Processes, kills: int) -> None:
    """Fail where a missed tick was not treated as its policy says.

    Each kill misses eight ticks at least. The run that it meets is lost; nothing else is where all
    ticks are made up.
    """
    assert missing(cluster, "all") <= kills
    assert missing(cluster, "once") >= 5 * kills
    assert missing(cluster, "skip") >= 2 * kills
    assert max(cluster.ran("skip")[1]) < GRACE + SLACK


def run(folder: Path, url: str, kills: int, ticks: int) -> int:
    """Let two processes run so many ticks with so many kills, and give how many ticks passed."""
    with processes(folder, url, PERIOD, LEASE) as cluster:
        for _ in range(2):
            cluster.start()
        cluster.leader()
        kill_leaders(cluster, kills, ticks)
        expect_no_double(cluster)
        expect_policies(cluster, kills)
        ran, _ = cluster.ran("all")
    return ran[-1] - ran[0]


def test_killed_leaders(tmp_path: Path, url: str) -> None:
    """After a kill another process goes on, and no tick is run twice."""
    assert run(tmp_path, url, kills=1, ticks=25) >= 20


def test_a_leader_that_was_frozen(tmp_path: Path) -> None:
    """A leader that wakes up after another has taken over repeats none of its ticks."""
    with (
        fresh_database("postgres", tmp_path) as url,
        processes(tmp_path, url, PERIOD, LEASE) as cluster,
    ):
        for _ in range(2):
            cluster.start()
        frozen = cluster.leader()
        os.kill(frozen, signal.SIGSTOP)
        leader = cluster.leader(other_than=frozen)
        os.kill(frozen, signal.SIGCONT)
        time.sleep(LEASE)
        expect_no_double(cluster)
        assert cluster.leader() == leader
        assert missing(cluster, "all") == 0


@pytest.mark.proof
@pytest.mark.parametrize("url", KINDS, indirect=True)
def test_twenty_killed_leaders(tmp_path: Path, url: str) -> None:
    """Through 1,000 ticks and 20 kills no tick is run twice."""
    assert run(tmp_path, url, kills=20, ticks=1050) >= 1000
