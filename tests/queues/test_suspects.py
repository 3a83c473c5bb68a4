"""A message that kills its worker takes no others along to the dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from buttress import Service
from buttress.queues import Message
from buttress.queues.consumer import Consumer, Plan, parted
from buttress.queues.dispatch import Dispatch
from buttress.queues.memory import MemoryBroker
from tests.queues.conftest import EXTENSIONS, QUICK
from tests.services import Make

VISIBILITY = 30.0


class Killed(BaseException):
    """The end of a worker."""


class Worker:
    """A worker that dies of some messages: whoever is dead tells the broker nothing more."""

    def __init__(self, app: Service, broker: MemoryBroker, plan: Plan, deadly: set[str]) -> None:
        self.seen: list[str] = []
        self._deadly = deadly
        self._broker = broker
        self._alive = True
        self._dispatch = Dispatch(app, None)
        self._plan = plan
        self._consumer = Consumer(plan, self, self, None)  # type: ignore[arg-type]  # a stand-in for both

    def run(self) -> None:
        """Fetch and handle once, with death as it comes."""
        with suppress(Killed):
            self._consumer._step()

    def handle(self, plan: Plan, message: Message) -> Any:
        """Handle a message, or die of it."""
        if message.count <= plan.max_deliveries and message.body in self._deadly:
            self._alive = False
            raise Killed
        self.seen.append(message.body)
        return self._dispatch.handle(plan, message)

    def delete(self, messages: Sequence[Message]) -> None:
        """Pass on what a living worker deletes."""
        if self._alive:
            self._broker.delete(messages)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def dead_letters(make: Make, bodies: str, deadly: set[str]) -> tuple[list[str], list[str]]:
    """Let workers die until nothing is left; give what was handled, and the dead letters."""
    now = 0.0
    broker = MemoryBroker(lambda: now)
    app = make(extensions=EXTENSIONS, **QUICK)
    handled: list[str] = []
    plan = Plan(
        queue="snow",
        handler=lambda message: handled.append(message.body),
        visibility=VISIBILITY,
        max_deliveries=5,
        retry_delay=0.0,
        wait=0.0,
    )
    broker.declare("snow")
    for body in bodies:
        broker.send("snow", [app.queues.outgoing(body, None, None, None, None)])
    for _ in range(20):
        Worker(app, broker, plan, deadly).run()
        now += VISIBILITY
    assert broker.depth("snow")[:3] == (0, 0, 0)
    return handled, [it.body for it in broker.peek("snow", limit=99, dead=True)]


@pytest.mark.parametrize("deadly", ["a", "e", "j"])
def test_only_the_killer_is_a_dead_letter(make: Make, deadly: str) -> None:
    """Whatever place the killer has in its batch, all others are handled."""
    handled, dead = dead_letters(make, "abcdefghij", {deadly})
    assert dead == [deadly]
    assert set(handled) == set("abcdefghij") - {deadly}


def message(body: str, count: int, group: str | None = None) -> Message:
    """Make a message of a delivery."""
    return Message(id=body, queue="snow", body=body, count=count, group_id=group)


def test_fresh_messages_come_first() -> None:
    """Messages far from their last delivery are no suspects, and come before them."""
    batch = [message("a", 4), message("b", 1), message("c", 4), message("d", 3)]
    others, suspects = parted(batch, 5)
    assert ([it.body for it in others], [it.body for it in suspects]) == (["b", "d"], ["a", "c"])


def test_the_last_time_from_the_other_end() -> None:
    """Suspects come in turn from either end."""
    _, suspects = parted([message("a", 5), message("b", 5)], 5)
    assert [it.body for it in suspects] == ["b", "a"]


def test_a_first_delivery_is_never_suspect() -> None:
    """What nobody had before can have killed nobody."""
    assert parted([message("a", 1)], 1)[1] == []


def test_the_order_of_a_group_is_kept() -> None:
    """Messages of one group stay in their order."""
    batch = [message("a", 5, "g"), message("b", 1, "g")]
    assert parted(batch, 5) == (batch, [])
