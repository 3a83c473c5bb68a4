"""Kills: of consumers, and of the broker; what was confirmed is handled, by nobody's hand."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from buttress import Service, Unavailable
from tests.private import PrivateServer, private_server
from tests.pulse.broker import Broker, until
from tests.pulse.conftest import EXTENSIONS
from tests.pulse.worker import workers
from tests.services import Make


def consuming(app: Service) -> Callable[[], bool]:
    """Give a function that tells whether the first consumer of a service receives."""
    return lambda: app.pulse._consumers[0].details()["running"]


def test_killed_consumers_lose_nothing(app: Service, broker: Broker, tmp_path: Path) -> None:
    """What a killed process had not acknowledged is handled by the next one."""
    queue, count = broker.queue(), 400
    with workers(broker.url, broker.exchange, broker.name, tmp_path / "notes") as them:
        until(lambda: exists(broker, queue))
        for number in range(count):
            app.pulse.publish(broker.exchange, "k", number)
            if number in (100, 200, 300):
                until(lambda: len(them.handled()) > number // 4)  # noqa: B023  # called at once
                them.kill()
                them.start()
        until(lambda: set(them.handled()) == set(range(count)), 20)
        until(lambda: broker.count(queue) == 0)


def exists(broker: Broker, queue: str) -> bool:
    """Tell whether a queue is there and consumed."""
    try:
        declared = broker.channel.queue_declare(queue, passive=True)
    except broker.missing:
        return False
    return bool(declared.consumer_count)


def test_a_broker_that_was_killed_is_used_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Publishing is 503 meanwhile; consuming goes on within five seconds, and nothing is lost."""
    seen: list[int] = []
    with private_server("rabbitmq", monkeypatch) as server:
        app = make(extensions=EXTENSIONS, PULSE_URL=server.url)
        app.pulse.consumer("exchange/buttress/snow", queue="snow", declare_exchange=True)(
            lambda _, message: seen.append(message.payload)
        )
        app.start()
        until(consuming(app))
        app.pulse.publish("exchange/buttress/snow", "k", 1)
        until(lambda: seen == [1])
        server.kill()
        with pytest.raises(Unavailable):
            app.pulse.publish("exchange/buttress/snow", "k", 2)
        server.start()
        back = time.monotonic()
        until(consuming(app))
        assert time.monotonic() - back < 5
        app.pulse.publish("exchange/buttress/snow", "k", 3)
        until(lambda: set(seen) == {1, 3})
        app.close()


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_kills_of_everything_lose_nothing(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The broker is killed 5 times and the consumer 20 times, while four threads publish."""
    confirmed: list[int] = []
    stop = threading.Event()
    with private_server("rabbitmq", monkeypatch) as server:
        app = make(extensions=EXTENSIONS, PULSE_URL=server.url)
        with workers(server.url, "exchange/buttress/snow", "snow", tmp_path / "notes") as them:
            until(lambda: publishes(app, 0) and 0 in them.handled(), 30)
            threads = [
                threading.Thread(target=publish_on, args=(app, start, confirmed, stop))
                for start in (1, 2, 3, 4)
            ]
            for thread in threads:
                thread.start()
            kill_all(server, them)
            stop.set()
            for thread in threads:
                thread.join()
            until(lambda: set(confirmed) <= set(them.handled()), 120)
        app.close()
    assert len(confirmed) > 1000


def publishes(app: Service, number: int) -> bool:
    """Publish a number, and tell whether it was confirmed."""
    try:
        app.pulse.publish("exchange/buttress/snow", "k", number)
    except Unavailable:
        time.sleep(0.05)
        return False
    return True


def publish_on(app: Service, start: int, confirmed: list[int], stop: threading.Event) -> None:
    """Publish every fourth number until told to stop, and note which were confirmed."""
    number = start
    while not stop.is_set():
        if publishes(app, number):
            confirmed.append(number)
        number += 4
        time.sleep(0.005)


def kill_all(server: PrivateServer, them: Any) -> None:
    """Kill the broker five times, and the consumer four times after each."""
    for _ in range(5):
        for _ in range(4):
            time.sleep(random.uniform(0.5, 2))  # when, is by chance
            them.kill()
            them.start()
        server.kill()
        time.sleep(0.5)
        server.start()
        time.sleep(2)
