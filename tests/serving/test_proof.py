"""The long proofs of serving: terminations under load, and workers that keep dying."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.drain import one_round, write_app
from tests.servers import require_server
from tests.serving.running import Running

pytestmark = pytest.mark.proof

ROUNDS, KILLS = 50, 100


@pytest.mark.parametrize("server", ["granian", "gunicorn", "bjoern"])
def test_terminations_under_load_lose_nothing(server: str, tmp_path: Path) -> None:
    """Fifty services that are ended under load answer whatever they were asked, and exit with 0."""
    require_server(server)
    write_app(tmp_path)
    total: Counter[tuple[str, str]] = Counter()
    for number in range(ROUNDS):
        total += one_round(tmp_path, server, clients=8, seed=number)
    assert total["exit", "0"] == ROUNDS
    assert total["balanced", "lost"] == total["heedless", "lost"] == 0
    assert total["balanced", "answered"] > ROUNDS


def test_workers_that_end_alone_lose_nothing(start: Callable[..., Running]) -> None:
    """While one worker after the other is ended and replaced, every request is answered."""
    running = start(WORKERS=2)
    ended = threading.Event()

    def ask() -> Counter[int]:
        return Counter(iter(lambda: 0 if ended.is_set() else running.ask("/").status, 0))

    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(ask) for _ in range(8)]
        for _ in range(KILLS // 2):
            time.sleep(0.5)
            os.kill(int(running.ask("/pid").body), signal.SIGTERM)
        ended.set()
        answered = sum((it.result() for it in clients), Counter[int]())
    assert list(answered) == [200]
    assert answered[200] > 100 * KILLS


def test_workers_that_are_killed_again_and_again(start: Callable[..., Running]) -> None:
    """Through a hundred kills one service stays up and ends cleanly."""
    running = start(WORKERS=2)
    for _ in range(KILLS):
        worker = int(running.ask("/pid").body)
        os.kill(worker, signal.SIGKILL)
        running.until(f"Worker {worker} was ended by SIGKILL")
    assert running.ask("/").status == 200
    running.signal()
    assert running.ended() == 0
