"""Lanes: which ticks are taken, and what runs at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import current_app

from buttress import Service
from buttress.lifecycle import Deadline
from buttress.schedule.job import Job, Tick
from buttress.schedule.keeper import Keeper
from buttress.schedule.lane import Cluster, Lane
from buttress.schedule.ledger import Ledger
from buttress.schedule.moment import SECOND
from buttress.schedule.trigger import Every
from buttress.web import current_request_id
from tests.schedule.conftest import EXTENSIONS
from tests.services import Make


class Process:
    """One process of a cluster, as far as lanes know, with a clock that is set by hand."""

    def __init__(self, app: Service) -> None:
        self.now = 100.0
        self.keeper = Keeper(0.1)
        self.ran: list[float] = []
        clock = lambda: round(self.now * SECOND)  # noqa: E731  # short
        lease = lambda key: app.db.lease(key, 60)  # noqa: E731  # short
        self.cluster = Cluster(app, Ledger(app.db), self.keeper, lease, clock)
        self.cluster.going = True

    def lane(self, during: Callable[[Tick], Any] = id, **options: Any) -> Lane:
        """Make a lane of a job that is due every ten seconds."""

        def snow(tick: Tick) -> None:
            self.ran.append(tick.time.timestamp())
            during(tick)

        given = {"misfire": "once", "overlap": "skip", "grace": 15, "catch_up": 100, **options}
        lane = Lane(Job("snow", "shop:snow", snow, Every(10), **given), self.cluster)
        lane.meet()
        return lane


Start = Callable[[], Process]


@pytest.fixture
def process(make: Make) -> Iterator[Start]:
    """Give a function that makes processes of one cluster."""
    app = make(extensions=EXTENSIONS)
    app.lifecycle.start(embedded=True)
    made: list[Process] = []

    def start() -> Process:
        made.append(Process(app))
        return made[-1]

    yield start
    for each in made:
        each.keeper.close(Deadline(1))


def test_each_tick_once(process: Start) -> None:
    """A tick runs at its time, and not again."""
    one = process()
    lane = one.lane()
    for one.now in (105, 110, 110.1, 119.9, 120.5):
        lane.wake()
    assert one.ran == [110, 120]


def test_nothing_before_the_first_sight(process: Start) -> None:
    """A new job makes nothing up."""
    one = process()
    lane = one.lane(misfire="all")
    lane.wake()
    assert one.ran == []


@pytest.mark.parametrize(
    ("misfire", "expected"),
    [("once", [150]), ("all", [110, 120, 130, 140, 150]), ("skip", [140, 150])],
)
def test_missed_ticks(process: Start, misfire: str, expected: list[int]) -> None:
    """Whoever leads next makes up for missed ticks as the policy says."""
    process().lane()
    other = process()
    other.now = 154
    other.lane(misfire=misfire).wake()
    assert other.ran == expected


def test_clocks_that_differ(process: Start) -> None:
    """A process whose clock is behind does not run again what another has run."""
    one, other = process(), process()
    lanes = one.lane(), other.lane()
    one.now, other.now = 121, 112
    lanes[0].wake()
    lanes[1].wake()
    other.now = 131
    lanes[1].wake()
    assert (one.ran, other.ran) == ([120], [130])


@pytest.mark.parametrize("overlap", ["allow", "wait"])
def test_many_at_once(process: Start, overlap: str) -> None:
    """However many processes take ticks at the same time, each tick runs once."""
    processes = [process() for _ in range(6)]
    lanes = [each.lane(misfire="all", overlap=overlap) for each in processes]
    for each in processes:
        each.now = 300
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(Lane.wake, lanes))
    ran = [tick for each in processes for tick in each.ran]
    assert sorted(ran) == list(range(110, 301, 10))


def test_a_clock_that_was_wrong(process: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Ticks that were run too early are not run again, and the log says so."""
    one, other = process(), process()
    lane = one.lane()
    one.now = 10_000
    lane.wake()
    other.lane().wake()
    assert (one.ran, other.ran) == ([10_000], [])
    assert "snow last ran at a time that is 9900 s ahead" in caplog.text


def test_too_late_in_the_end(process: Start) -> None:
    """A tick that becomes too late while others are made up is left out."""
    process().lane()
    one = process()

    def during(_: Tick) -> None:
        one.now = 156

    one.now = 141
    one.lane(during, misfire="skip", overlap="allow").wake()
    assert one.ran == [130, 150]


def test_ticks_during_a_run_are_skipped(process: Start) -> None:
    """By default a tick that comes while the job runs is left out, and counted."""
    one = process()

    def during(_: Tick) -> None:
        one.now = 135

    lane = one.lane(during)
    one.now = 110
    lane.wake()
    lane.wake()
    assert (one.ran, lane.skipped, lane.last) == ([110], 2, 130 * SECOND)
    one.now = 140
    lane.wake()
    assert one.ran == [110, 140]


@pytest.mark.parametrize(("misfire", "expected"), [("once", [110, 130]), ("all", [110, 120, 130])])
def test_ticks_during_a_run_wait(process: Start, misfire: str, expected: list[int]) -> None:
    """With ``wait`` ticks that come while the job runs are run after it, as late ones."""
    one = process()

    def during(_: Tick) -> None:
        one.now = max(one.now, 135)

    lane = one.lane(during, overlap="wait", misfire=misfire)
    one.now = 110
    lane.wake()
    assert (one.ran, lane.skipped) == (expected, 0)


def test_woken_during_a_run(process: Start) -> None:
    """Who wakes a lane that is busy need not wait; what is due then runs in the end."""
    one = process()

    def during(_: Tick) -> None:
        one.now = 121
        lane.wake()

    lane = one.lane(during, overlap="wait")
    one.now = 110
    lane.wake()
    assert one.ran == [110, 120]


def test_a_job_that_runs_elsewhere(process: Start) -> None:
    """While another process runs the job, its ticks are left out here."""
    one, other = process(), process()
    there = other.lane()

    def during(_: Tick) -> None:
        other.now = 121
        there.wake()

    lane = one.lane(during)
    one.now = 111
    lane.wake()
    assert (one.ran, other.ran, there.skipped) == ([110], [], 1)


def test_to_wait_for_a_job_that_runs_elsewhere(process: Start) -> None:
    """With ``wait`` a tick runs once the run elsewhere has ended."""
    one, other = process(), process()
    there = other.lane(overlap="wait")
    thread = threading.Thread(target=there.wake)

    def during(_: Tick) -> None:
        other.now = 121
        thread.start()
        thread.join(0.3)
        assert other.ran == []

    lane = one.lane(during, overlap="wait")
    one.now = 111
    lane.wake()
    thread.join()
    assert (one.ran, other.ran, lane.failed) == ([110], [120], 0)


def test_runs_side_by_side(process: Start) -> None:
    """With ``allow`` a tick does not mind that the job runs."""
    one = process()

    def during(tick: Tick) -> None:
        if tick.time.timestamp() == 110:
            one.now = 120
            lane.wake()

    lane = one.lane(during, overlap="allow")
    one.now = 110
    lane.wake()
    assert one.ran == [110, 120]


@pytest.mark.parametrize("error", [RuntimeError("ice"), SystemExit(3)])
def test_a_job_that_fails(
    process: Start, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure is logged with its traceback and counted, and the next tick runs."""
    one = process()

    def during(_: Tick) -> None:
        raise error

    lane = one.lane(during)
    for one.now in (110, 120):
        lane.wake()
    assert (one.ran, lane.failed, lane.running) == ([110, 120], 2, 0)
    logged = [it for it in caplog.records if it.name == "buttress.schedule"]
    assert [it.getMessage() for it in logged] == ["The scheduled job snow failed"] * 2
    assert logged[0].exc_info
    assert logged[0].exc_info[1] is error


def test_what_a_job_is_given(process: Start) -> None:
    """A job has an application context, an id of its own, and a tick with its lateness."""
    one, seen = process(), []
    lane = one.lane(lambda tick: seen.append((tick.late, current_app.name, current_request_id())))
    for one.now in (110.25, 120):
        lane.wake()
    assert [(late, name) for late, name, _ in seen] == [(0.25, "shop"), (0, "shop")]
    assert len({request_id for _, _, request_id in seen if request_id}) == 2


def test_leadership_that_ends_half_way(process: Start) -> None:
    """What is left of many missed ticks is for whoever leads next."""
    process().lane()
    one, other = process(), process()

    def during(tick: Tick) -> None:
        one.now = 155
        one.cluster.going = tick.time.timestamp() < 120

    one.now = other.now = 140
    one.lane(during, misfire="all").wake()
    other.lane(misfire="all").wake()
    assert (one.ran, other.ran) == ([110, 120], [130, 140])


def test_run_by_hand(process: Start) -> None:
    """A run outside of the ticks takes none of them, and respects a run elsewhere."""
    one, other = process(), process()
    there = other.lane()
    lane = one.lane(lambda _: seen.append(there.run()))
    seen: list[bool] = []
    assert (lane.run(), seen) == (True, [False])
    assert (one.ran, other.ran, lane.last) == ([100], [], 100 * SECOND)
