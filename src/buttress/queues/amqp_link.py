"""A connection to RabbitMQ with its channel, by py-amqp."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import amqp
from amqp import exceptions

from buttress.amqp.address import Address
from buttress.amqp.frames import tolerant
from buttress.amqp.marks import Marks
from buttress.amqp.parcel import is_uncounted
from buttress.errors import MessageError, SetupError, Unavailable
from buttress.lifecycle import Deadline

#: The connection is gone, or of no more use.
LOST = (OSError, exceptions.ConnectionError)
FAILURES = (OSError, exceptions.AMQPError, exceptions.MessageNacked)

#: Seconds for an answer of the broker, and for its farewell.
ANSWER, FAREWELL = 10.0, 0.5
#: Seconds of one look at the socket, after which a wake is noticed; and of the shortest wait.
LOOK, SHORTEST = 0.25, 0.05

_numbers = itertools.count(1)


class AmqpRefused(SetupError):
    """Raised when RabbitMQ does not allow what is asked: a mistake to mend, not an outage."""


class MissingAtAmqp(Exception):
    """Raised when RabbitMQ does not know a queue; the broker knows its name."""


class Held(NamedTuple):
    """A message that is not settled: its queue, and until when it is hidden (monotonic)."""

    queue: str
    until: float


class Link:
    """A connection and its channel; for one thread at a time, who holds its lock.

    `hold` may be called meanwhile by any other: what is held has a lock of its own.
    ``heartbeat`` is in seconds; 0 is none.
    """

    def __init__(self, address: Address, timeout: float, *, name: str, heartbeat: int = 0) -> None:
        self.name = f"{name}-{next(_numbers)}"
        self.lock = threading.RLock()
        self.lost = False
        #: The messages that are not settled, by their numbers.
        self.held: dict[int, Held] = {}
        self._holding = threading.Lock()
        self._prefetch = 0
        self._marks = Marks(0)
        self._connection = amqp.Connection(
            **address.options(),
            connect_timeout=timeout,
            heartbeat=heartbeat,
            client_properties={"connection_name": name},
            frame_handler=tolerant,
        )
        try:
            self._connection.connect()
            self.limit(ANSWER)
            self.channel = self._open()
            self._confirms = _Confirms(self.channel)
        except BaseException:
            self.abandon()
            raise

    def limit(self, seconds: float) -> None:
        """Let no answer of the broker take longer."""
        self._connection.sock.settimeout(max(seconds, 0.001))

    def count(self, queue: str) -> int | None:
        """Count the messages that wait in a queue; ``None`` where there is no such queue."""
        with self.lock, self.aside() as channel:
            try:
                return int(channel.queue_declare(queue, passive=True).message_count)
            except exceptions.NotFound:
                return None

    def declare(self, queue: str, arguments: Mapping[str, Any]) -> None:
        """Make a durable queue with these arguments; it may be there, with the same ones."""
        with self.lock:
            self.channel.queue_declare(
                queue, durable=True, auto_delete=False, arguments=dict(arguments)
            )

    def publish(self, parcels: Iterable[tuple[str, Any]], seconds: float) -> set[str]:
        """Send messages, each to a queue, and wait until all are confirmed.

        Gives the queues that are not there.
        """
        deadline = Deadline(seconds)
        with self.lock:
            for queue, parcel in parcels:
                self._confirms.expect()
                self.channel.basic_publish(
                    parcel, exchange="", routing_key=queue, mandatory=True, timeout=seconds
                )
            while self._confirms.missing:
                self._connection.drain_events(timeout=max(deadline.left(), 0.001))
            return self._confirms.settled()

    def receive(
        self, queue: str, limit: int, wait: float, visibility: float, woken: Callable[[], bool]
    ) -> list[Any]:
        """Take up to ``limit`` messages, waiting for the first.

        The subscription lasts as long as the call, so nothing is kept back from others.
        """
        found: list[Any] = []
        with self.lock:
            if not self._prefetch:
                self._marks = Marks(limit)
            if self._prefetch != limit:
                self.channel.basic_qos(0, limit, False)
                self._prefetch = limit
            tag = self.channel.basic_consume(queue, callback=found.append)
            self._wait(found, max(SHORTEST, wait), woken)
            # What is on its way comes before the answer to this.
            self.channel.basic_cancel(tag)
            held = Held(queue, time.monotonic() + visibility)
            with self._holding:
                self.held.update((it.delivery_tag, held) for it in found)
        return found

    def recurs(self, parcel: Any) -> bool:
        """Tell of the next message received whether it was delivered before, uncounted."""
        return self._marks.believes(marked=is_uncounted(parcel))

    def hold(self, numbers: Iterable[int], seconds: float) -> list[int]:
        """Hide messages for so many seconds from now, and give those that were still hidden."""
        until = time.monotonic() + seconds
        with self._holding:
            found = [number for number in numbers if number in self.held]
            self.held.update((number, self.held[number]._replace(until=until)) for number in found)
        return found

    def settle(self, numbers: Sequence[int], *, again: bool = False) -> None:
        """Tell the broker that messages are done, or are to be delivered again.

        What it was told before, or brought on a link that is lost, is passed over.
        """
        with self.lock:
            with self._holding:
                done = [number for number in sorted(numbers) if number in self.held]
                oldest = _common(done, sorted(self.held))
                for number in done:
                    del self.held[number]
            if again:
                self._reject(done)
            else:
                self._acknowledge(done, oldest)

    def beat(self) -> None:
        """Tell the broker that this side lives, unless a thread is at it anyway.

        What is hidden no longer is delivered again.
        """
        if self.lock.acquire(blocking=False):
            try:
                if not self.lost:
                    self._connection.send_heartbeat()
                    self._show()
            finally:
                self.lock.release()

    @contextmanager
    def aside(self) -> Iterator[Any]:
        """Give a channel for one purpose; what was fetched on it goes back when it is closed."""
        channel = self._open()
        try:
            yield channel
        finally:
            if channel.is_open:
                channel.close()

    def close(self) -> None:
        """Take leave of the broker, which gives what was not settled to others."""
        if self.lost:  # py-amqp would connect again
            return
        if not self.lock.acquire(timeout=FAREWELL):
            self.abandon()
            return
        try:
            self.limit(FAREWELL)
            self._connection.close()
        except Exception:  # noqa: BLE001  # of a connection that is lost anyway, py-amqp raises all sorts
            self.abandon()
        finally:
            self.lost = True
            self.lock.release()

    def abandon(self) -> None:
        """Drop the connection without a word."""
        self.lost = True
        with self._holding:
            self.held.clear()
        self._connection.collect()

    def _open(self) -> Any:
        channel = self._connection.channel()
        channel.auto_decode = False
        return channel

    def _wait(self, found: list[Any], wait: float, woken: Callable[[], bool]) -> None:
        deadline = Deadline(wait)
        while not found and not woken() and not deadline.passed:
            self._show()
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=max(0.001, min(LOOK, deadline.left())))
            self._connection.heartbeat_tick(rate=2)

    def _show(self) -> None:
        """Give back what is hidden no longer."""
        now = time.monotonic()
        with self._holding:
            over = [number for number, held in self.held.items() if held.until <= now]
            for number in over:
                del self.held[number]
        self._reject(over)

    def _reject(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.channel.basic_reject(number, requeue=True)

    def _acknowledge(self, numbers: Sequence[int], oldest: int) -> None:
        """Acknowledge messages; the first so many, which are the oldest of all, at once."""
        if oldest:
            self.channel.basic_ack(numbers[oldest - 1], multiple=True)
        for number in numbers[oldest:]:
            self.channel.basic_ack(number)


def _common(some: Sequence[int], all_: Sequence[int]) -> int:
    """Count the numbers with which both begin."""
    pairs = zip(some, all_, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


class _Confirms:
    """Which of the messages sent on a channel the broker has confirmed."""

    def __init__(self, channel: Any) -> None:
        self.missing: set[int] = set()
        self._last = 0
        self._returned: set[str] = set()
        self._refused = False
        channel.events["basic_ack"].add(self._confirm)
        channel.events["basic_nack"].add(self._refuse)
        channel.events["basic_return"].add(self._return)
        channel.confirm_select()

    def expect(self) -> None:
        """Await the confirm of the message that is sent next."""
        self._last += 1
        self.missing.add(self._last)

    def settled(self) -> set[str]:
        """Give the queues that were not there. Raises `MessageNacked` for what was not taken."""
        returned, self._returned = self._returned, set()
        if self._refused:
            self._refused = False
            raise exceptions.MessageNacked
        return returned

    def _confirm(self, number: int, multiple: bool) -> None:
        done = {it for it in self.missing if it <= number} if multiple else {number}
        self.missing -= done

    def _refuse(self, number: int, multiple: bool) -> None:
        self._refused = True
        self._confirm(number, multiple)

    def _return(self, _error: object, _exchange: str, queue: str, _parcel: object) -> None:
        self._returned.add(queue)


@contextmanager
def failures() -> Iterator[None]:
    """Raise what the contract of a broker wants in place of py-amqp's errors."""
    try:
        yield
    except exceptions.NotFound as error:
        raise MissingAtAmqp(str(error)) from error
    except (exceptions.AccessRefused, exceptions.NotAllowed) as error:
        raise AmqpRefused(f"RabbitMQ refuses what QUEUES_URL asks for: {error}") from error
    except exceptions.MessageNacked as error:
        raise Unavailable("The message broker did not take a message.") from error
    except LOST as error:
        raise Unavailable("The message broker does not answer.") from error
    except exceptions.ChannelError as error:
        raise MessageError(f"RabbitMQ does not take this: {error}") from error
