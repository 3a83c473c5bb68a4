"""Queues on RabbitMQ."""

from __future__ import annotations

import logging
import math
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from buttress.amqp.pool import Pool
from buttress.errors import ConfigError, Unavailable, UnknownQueue
from buttress.lifecycle import Deadline
from buttress.queues import amqp_delay as delays
from buttress.queues.amqp_address import address_of
from buttress.queues.amqp_link import ANSWER, LOST, Link, MissingAtAmqp, failures
from buttress.queues.amqp_links import HEARTBEAT, Receivers
from buttress.queues.amqp_message import copy, message_of, parcel
from buttress.queues.broker import NO_OPTIONS, Depth
from buttress.queues.memory import unknown
from buttress.queues.message import Message, Outgoing, Receipt
from buttress.web import current_deadline

if TYPE_CHECKING:
    from buttress.queues.settings import QueuesSettings

logger = logging.getLogger("buttress.queues")

#: Links on which one process publishes at the same time.
PUBLISHERS = 8
#: What the queue of dead letters has behind its name.
DEAD = ".dead"
#: Dead letters that are moved at a time.
BATCH = 100
#: Most messages that a subscription asks for, a limit of the protocol.
PREFETCH = 65_535

Parcels = Sequence[tuple[str, Any]]


class AmqpBroker:
    """A broker on RabbitMQ 3.10 or later, with queues of the virtual host's default type.

    They are classic ones unless somebody chose otherwise: RabbitMQ 3.10 loses a quorum queue, with
    all that it confirmed, when it is killed within seconds of making one.

    RabbitMQ has no visibilities: this process ends them, and its end ends them all. RabbitMQ
    itself ends one after 30 minutes (its ``consumer_timeout``). Messages of a group come in the
    order of the queue, and ids against duplicates are only carried.
    """

    name = "amqp"

    def __init__(self, settings: QueuesSettings) -> None:
        if settings.url is None:
            raise ConfigError(["QUEUES_URL: write where RabbitMQ is, as amqp://host/."])
        self._address = address_of(settings.url, settings.ca_file)
        self._timeout = settings.connect_timeout
        self._inherited: list[_State] = []
        self._begin()

    def declare(self, queue: str) -> None:
        """Make a queue, and that of its dead letters; one that is there is taken as it is."""
        with self._link(queue) as link:
            if link.count(f"{queue}{DEAD}") is None:
                link.declare(f"{queue}{DEAD}", {})
            if link.count(queue) is None:
                link.declare(queue, _beyond(f"{queue}{DEAD}"))
        self._state.known.add(queue)

    def send(self, queue: str, messages: Sequence[Outgoing]) -> list[Receipt]:
        """Send messages and wait until the broker has confirmed them.

        On a connection that turns out to be lost, all are sent once more.
        """
        steps = [delays.step(it.delay) if it.delay > 0 else 0 for it in messages]
        parcels = [
            (delays.queue_of(queue, step) if step else queue, parcel(message))
            for message, step in zip(messages, steps, strict=True)
        ]
        self._publish(queue, parcels, {step for step in steps if step})
        return [Receipt(message.id, queue) for message in messages]

    def receive(
        self,
        queue: str,
        *,
        limit: int,
        wait: float,
        visibility: float,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> list[Message]:
        """Take messages, on a connection that belongs to this thread.

        One that was delivered before, uncounted, is sent anew with its count instead: it may end
        this process as well.
        """
        wakes = self._here().wakes
        before, deadline = wakes[queue], Deadline(wait)
        while True:
            found, again = self._fetched(
                queue,
                min(PREFETCH, limit),
                deadline.left(),
                visibility,
                lambda: wakes[queue] != before,
            )
            if found or not again:
                return found

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        """Hide messages for longer; that is between this process and itself."""
        for link, _, group in _grouped(messages):
            link.hold([message.tag.number for message in group], visibility)

    def delete(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages; those of a lost connection come back."""
        for link, _, group in _grouped(messages):
            self._settle(link, group)

    def release(self, messages: Sequence[Message], delay: float) -> None:
        """Move messages to the end of their queue, or to where they wait for ``delay`` seconds."""
        steps = [delays.step(delay)] if delay > 0 else []
        for link, queue, group in _grouped(messages):
            place = delays.queue_of(queue, steps[0]) if steps else queue
            with self._moving(link, group) as moved:
                self._publish(queue, [(place, copy(it, count=it.count)) for it in moved], steps)

    def bury(self, messages: Sequence[Message]) -> None:
        """Copy messages to ``<queue>.dead``, then acknowledge them."""
        for link, queue, group in _grouped(messages):
            dead = f"{queue}{DEAD}"
            with self._moving(link, group) as moved:
                parcels = [(dead, copy(it, count=it.count)) for it in moved]
                try:
                    self._publish(dead, parcels)
                except UnknownQueue:
                    with self._link(dead) as other:
                        other.declare(dead, {})
                    self._publish(dead, parcels)

    def depth(self, queue: str) -> Depth:
        """Count messages, as far as AMQP tells.

        What is in flight or delayed is counted as far as it went through this process; the age
        is not known.
        """
        with self._link(queue) as link:
            ready = link.count(queue)
            if ready is None:
                raise self._unknown(queue)
            dead = link.count(f"{queue}{DEAD}") or 0
            delayed = sum(link.count(name) or 0 for name in self._delaying(queue))
        return Depth(ready, delayed, self._state.receivers.in_flight(queue), dead)

    def queues(self) -> list[str]:
        """Name the queues that this process made or used; AMQP does not list them."""
        return sorted(self._here().known)

    def peek(self, queue: str, *, limit: int, dead: bool) -> list[Message]:
        """Receive messages and give them back; RabbitMQ counts that as a delivery."""
        place = f"{queue}{DEAD}" if dead else queue
        with self._link(place) as link, link.lock, link.aside() as channel:
            found = list(_got(channel, place, limit))
        return [message_of(queue, link, it) for it in found]

    def replay(self, queue: str, *, limit: int) -> int:
        """Move dead letters back into their queue."""
        dead, number, moved = f"{queue}{DEAD}", 0, BATCH
        while moved == BATCH and number < limit:
            with self._link(dead) as link, link.lock, link.aside() as channel:
                found = list(_got(channel, dead, min(BATCH, limit - number)))
                messages = [replace(message_of(queue, link, it), reason=None) for it in found]
                self._publish(queue, [(queue, copy(it, count=0)) for it in messages])
                if found:
                    channel.basic_ack(found[-1].delivery_tag, multiple=True)
            moved = len(found)
            number += moved
        return number

    def purge(self, queue: str, *, dead: bool) -> int:
        """Remove what waits; what was received stays with who has it."""
        places = [f"{queue}{DEAD}"] if dead else [queue, *self._delaying(queue)]
        number = 0
        with self._link(queue) as link, link.lock:
            for place in places:
                if place == queue or link.count(place) is not None:
                    number += int(link.channel.queue_purge(place))
        return number

    def wake(self, queue: str) -> None:
        """End the waits of this process."""
        self._here().wakes[queue] += 1

    def ping(self) -> None:
        """Ask for a channel."""
        with self._link("") as link, link.lock, link.aside():
            pass

    def close(self) -> None:
        """Close the connections; what was not settled is delivered to others."""
        state = self._here()
        state.receivers.close()
        state.publishers.close()

    def _begin(self) -> None:
        self._state = _State(self._connect)

    def _here(self) -> _State:
        """Give what this process has; a fork begins with nothing, and closes nothing."""
        if self._state.pid != os.getpid():
            self._inherited.append(self._state)
            self._begin()
        return self._state

    def _connect(self, purpose: str, heartbeat: int) -> Link:
        return Link(self._address, self._timeout, name=f"buttress {purpose}", heartbeat=heartbeat)

    @contextmanager
    def _link(self, queue: str) -> Iterator[Link]:
        """Lend a link for something that concerns a queue."""
        with self._failures(queue), self._here().publishers.lend(Deadline(_seconds())) as link:
            yield link

    @contextmanager
    def _failures(self, queue: str) -> Iterator[None]:
        try:
            with failures():
                yield
        except MissingAtAmqp as error:
            raise self._unknown(queue) from error

    def _unknown(self, queue: str) -> UnknownQueue:
        self._state.known.discard(queue)
        return UnknownQueue(queue, unknown(queue, "at RabbitMQ"))

    def _publish(self, queue: str, parcels: Parcels, steps: Collection[int] = ()) -> None:
        deadline = Deadline(_seconds())
        with self._failures(queue):
            try:
                returned = self._attempt(queue, parcels, steps, deadline)
            except LOST:
                if deadline.passed:
                    raise
                returned = self._attempt(queue, parcels, steps, deadline)
        if returned:
            raise self._unknown(queue)
        self._state.known.update({queue} if not queue.endswith(DEAD) else ())
        self._state.delayed[queue].update(delays.queue_of(queue, step) for step in steps)

    def _attempt(
        self, queue: str, parcels: Parcels, steps: Collection[int], deadline: Deadline
    ) -> set[str]:
        with self._here().publishers.lend(deadline) as link:
            link.limit(deadline.left())
            if steps and link.count(queue) is None:
                return {queue}
            began = time.monotonic()
            self._declare_delays(link, queue, steps)
            returned = link.publish(parcels, deadline.left())
            if steps and time.monotonic() - began > delays.SPARE / 2000:
                self._declare_delays(link, queue, steps)  # the process slept: put the expiry off
            link.limit(ANSWER)
        return returned

    def _declare_delays(self, link: Link, queue: str, steps: Collection[int]) -> None:
        for step in steps:
            link.declare(delays.queue_of(queue, step), delays.arguments(queue, step))

    def _fetched(
        self, queue: str, limit: int, wait: float, visibility: float, woken: Callable[[], bool]
    ) -> tuple[list[Message], list[Message]]:
        """Give what came for the first time or is counted, and what was sent anew."""
        state = self._here()
        with self._failures(queue):
            link = state.receivers.of(queue)
            try:
                parcels = link.receive(queue, limit, wait, visibility, woken)
                found: tuple[list[Message], list[Message]] = [], []
                for it in parcels:
                    found[link.recurs(it)].append(message_of(queue, link, it))
                self.release(found[1], 0.0)
            except BaseException:
                link.abandon()
                raise
        state.known.add(queue)
        return found

    def _delaying(self, queue: str) -> list[str]:
        return sorted(self._here().delayed[queue])

    @contextmanager
    def _moving(self, link: Link, messages: Sequence[Message]) -> Iterator[list[Message]]:
        """Acknowledge messages once they are copied; where that fails they come back.

        Gives those that are to be copied: not what came back meanwhile, which others may have.
        """
        hidden = link.hold([it.tag.number for it in messages], math.inf)
        moved = [it for it in messages if it.tag.number in hidden]
        try:
            yield moved
        except BaseException:
            self._settle(link, moved, again=True)
            raise
        self._settle(link, moved)

    def _settle(self, link: Link, messages: Sequence[Message], *, again: bool = False) -> None:
        try:
            if link.lost:
                raise ConnectionError("the connection was lost before")
            link.settle([message.tag.number for message in messages], again=again)
        except LOST as error:
            link.abandon()
            names = ", ".join(message.id for message in messages)
            logger.debug("%s come back, their connection is gone: %s", names, error)


class _State:
    """What one process has of a broker."""

    def __init__(self, connect: Callable[[str, int], Link]) -> None:
        self.pid = os.getpid()
        busy = partial(Unavailable, "All connections to the message broker are in use.")
        self.publishers = Pool(lambda _: connect("sends", 0), PUBLISHERS, busy)
        self.receivers = Receivers(lambda: connect("receives", HEARTBEAT))
        self.known: set[str] = set()
        self.delayed: defaultdict[str, set[str]] = defaultdict(set)
        self.wakes: Counter[str] = Counter()


def _beyond(dead: str) -> dict[str, str]:
    """Have a quorum queue give to the dead letters what it gives up on by itself."""
    return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}


def _seconds() -> float:
    """Give the seconds that there are for the broker's answer."""
    asked = current_deadline()
    return ANSWER if asked is None else min(ANSWER, asked.left())


def _got(channel: Any, queue: str, limit: int) -> Iterator[Any]:
    for _ in range(limit):
        found = channel.basic_get(queue)
        if found is None:
            return
        yield found


def _grouped(messages: Sequence[Message]) -> list[tuple[Link, str, list[Message]]]:
    """Part messages by the links that brought them, and by their queues."""
    found: dict[tuple[Link, str], list[Message]] = defaultdict(list)
    for message in messages:
        found[message.tag.link, message.queue].append(message)
    return [(link, queue, group) for (link, queue), group in found.items()]
