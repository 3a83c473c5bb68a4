"""The publisher: what it has sent, the broker has confirmed."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from typing import Any, NamedTuple
from uuid import uuid4

from buttress.amqp.pool import Pool
from buttress.errors import Unavailable
from buttress.lifecycle import Deadline
from buttress.pulse.link import FAILURES, LOST, MISSING, NACKED, REFUSED, Link
from buttress.pulse.refusal import PulseRefused
from buttress.web import REQUEST_ID_HEADER, current_deadline, current_request_id

logger = logging.getLogger("buttress.pulse")


class Parcel(NamedTuple):
    """A message that is ready to be sent, with an id that a repetition has too."""

    exchange: str
    routing_key: str
    body: bytes
    properties: dict[str, Any]


class Publisher:
    """Send messages, each until it is confirmed, within ``timeout`` seconds; any thread may."""

    def __init__(self, pool: Pool[Link], broker: str, timeout: float) -> None:
        self._pool = pool
        self._broker = broker
        self._timeout = timeout
        self._lock = threading.Lock()
        self._down = False
        self.confirmed = 0
        self.failed = 0

    def publish(self, exchange: str, routing_key: str, body: bytes) -> None:
        """Send a message and wait for its confirm; a lost connection is made anew, once.

        Raises `Unavailable` where none comes in time, and `PulseRefused` for what the broker
        does not allow.
        """
        parcel = Parcel(exchange, routing_key, body, _properties())
        try:
            self._send(parcel, self._deadline())
        except REFUSED as error:
            self._count(failed=1)
            raise PulseRefused(f"to publish to {exchange}", str(error)) from error
        except FAILURES as error:
            self._count(failed=1)
            self._lament(error)
            raise Unavailable(_detail(error)) from error
        self._count(confirmed=1)
        self._rejoice()

    def _send(self, parcel: Parcel, deadline: Deadline) -> None:
        try:
            self._attempt(parcel, deadline)
        except (*LOST, MISSING) as error:
            if deadline.passed or isinstance(error, _NotConnected):
                raise
            self._attempt(parcel, deadline)

    def _attempt(self, parcel: Parcel, deadline: Deadline) -> None:
        with ExitStack() as stack:
            try:
                link = stack.enter_context(self._pool.lend(deadline))
            except FAILURES as error:
                raise _NotConnected(str(error)) from error
            link.limit(deadline.left())
            link.declare_exchange(parcel.exchange)
            link.publish(
                parcel.body,
                parcel.exchange,
                parcel.routing_key,
                deadline.left(),
                **parcel.properties,
            )

    def _deadline(self) -> Deadline:
        asked = current_deadline()
        return Deadline(self._timeout if asked is None else min(self._timeout, asked.left()))

    def _count(self, *, confirmed: int = 0, failed: int = 0) -> None:
        with self._lock:
            self.confirmed += confirmed
            self.failed += failed

    def _lament(self, error: BaseException) -> None:
        """Log a failure: the first of an outage."""
        with self._lock:
            known, self._down = self._down, True
        if not known:
            logger.error("%s does not take messages: %s", self._broker, _told(error))

    def _rejoice(self) -> None:
        if not self._down:
            return
        with self._lock:
            was, self._down = self._down, False
        if was:
            logger.info("%s takes messages again", self._broker)


class _NotConnected(OSError):
    """Raised when there is no connection to be had; another attempt would find none either."""


def _properties() -> dict[str, Any]:
    request_id = current_request_id()
    headers = {} if request_id is None else {REQUEST_ID_HEADER: request_id}
    return {
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "message_id": uuid4().hex,
        "application_headers": headers,
    }


def _detail(error: BaseException) -> str:
    """Say what clients may know: neither the address of the broker nor its words."""
    if isinstance(error, NACKED):
        return "The message broker did not take a message."
    if isinstance(error, TimeoutError):
        return "The message broker did not confirm a message in time."
    return "The message broker does not answer."


def _told(error: BaseException) -> str:
    return "it did not take one" if isinstance(error, NACKED) else str(error) or repr(error)
