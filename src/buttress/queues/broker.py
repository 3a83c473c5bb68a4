"""What a broker must offer; the same on every technology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from buttress.queues.message import Message, Outgoing, Receipt

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class Depth(NamedTuple):
    """How many messages a queue has, and the age of the oldest in seconds, where that is known."""

    ready: int
    delayed: int
    in_flight: int
    dead: int
    age: float | None = None


class Broker(Protocol):
    """Carry messages at least once. Any thread may call it.

    What needs the broker raises `Unavailable` while it is down, and `UnknownQueue` where the
    queue is not there. A dead letter is a message that was given up, kept with a reason.
    """

    #: The name of the technology.
    name: str

    def declare(self, queue: str) -> None:
        """Make a queue, and the place of its dead letters, where they are missing."""

    def send(self, queue: str, messages: Sequence[Outgoing]) -> list[Receipt]:
        """Take messages over; once it returns they are safe with the broker."""

    def receive(
        self,
        queue: str,
        *,
        limit: int,
        wait: float,
        visibility: float,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> list[Message]:
        """Take up to ``limit`` messages, hidden from others for ``visibility`` seconds.

        Waits up to ``wait`` seconds for the first. Messages of one group come in their order,
        each only when those before it are done. ``options`` is what only one technology
        understands; the others let it be.
        """

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        """Hide received messages for so many seconds from now."""

    def delete(self, messages: Sequence[Message]) -> None:
        """Take received messages off for good."""

    def release(self, messages: Sequence[Message], delay: float) -> None:
        """Give received messages back, to be delivered again after ``delay`` seconds."""

    def bury(self, messages: Sequence[Message]) -> None:
        """Put received messages among the dead letters, each with its reason."""

    def depth(self, queue: str) -> Depth:
        """Count the messages of a queue."""

    def queues(self) -> list[str]:
        """Name the queues that there are, as far as the broker tells."""

    def peek(self, queue: str, *, limit: int, dead: bool) -> list[Message]:
        """Look at messages, or at dead letters, without taking them."""

    def replay(self, queue: str, *, limit: int) -> int:
        """Put dead letters back into their queue, as new; give their number."""

    def purge(self, queue: str, *, dead: bool) -> int:
        """Remove all messages, or all dead letters; give their number as far as it is known."""

    def wake(self, queue: str) -> None:
        """End the waits of this process for messages of a queue."""

    def ping(self) -> None:
        """Ask the broker for an answer."""

    def close(self) -> None:
        """Let everything go."""
