"""What ``app.queues`` is: sending, and the consumers of this service."""

from __future__ import annotations

import logging
import time
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from buttress.errors import ExtensionError, LifecycleError, MessageError, SetupError, Unavailable
from buttress.lifecycle import Deadline
from buttress.loop import Loop
from buttress.queues.brokers import broker_of, handled, outbox, sql_broker
from buttress.queues.consumer import Consumer, Handler, Plan
from buttress.queues.dispatch import Dispatch
from buttress.queues.message import (
    LONGEST_DELAY,
    Outgoing,
    Receipt,
    checked_attributes,
    checked_name,
    size_of,
    written,
)
from buttress.queues.polls import Polls
from buttress.queues.turn import Turn
from buttress.web import current_request_id

if TYPE_CHECKING:
    from buttress.db import Database
    from buttress.queues.broker import Broker
    from buttress.queues.handled import Handled
    from buttress.queues.outbox import Outbox
    from buttress.queues.settings import QueuesSettings
    from buttress.service import Service

logger = logging.getLogger("buttress.queues")

F = TypeVar("F", bound=Handler)


class Queues:
    """Send messages, and consume them with supervision.

    `send` inside a database session waits for its commit. Delivery is at least once.
    """

    def __init__(self, app: Service, settings: QueuesSettings, database: Database | None) -> None:
        self._app = cast("Service", weakref.proxy(app))
        self._settings = settings
        self._database = database
        self._sql = None if database is None else sql_broker(database)
        self._started = False
        #: Queues that could not be made when the service started.
        self._missing: set[str] = set()
        self._plans: list[Plan] = []
        self._consumers: list[Consumer] = []
        self.outbox = self._outbox()
        self._relay = None if self.outbox is None else Loop("outbox", self.outbox.relay)
        self._polls = Polls(self)

    @cached_property
    def broker(self) -> Broker:
        """Give the broker. Raises `SetupError` for one that is unknown or not installed."""
        return broker_of(self._settings, self._sql)

    def send(
        self,
        queue: str,
        body: object,
        *,
        delay: float | None = None,
        attributes: Mapping[str, object] | None = None,
        dedup_id: str | None = None,
        group_id: str | None = None,
    ) -> Receipt:
        """Send a message: text as it is, anything else as JSON.

        Inside a transaction of this context's session it goes out with the commit; where the
        session only reads, at the end of the context. ``delay`` is in seconds, at most 900.
        ``dedup_id`` keeps a second one away for five minutes; messages of one ``group_id`` are
        handled in their order. Raises `MessageError` for a message that cannot be carried and
        `UnknownQueue` for a queue that is not there; then nothing was sent.
        """
        checked_name(queue)
        return self.post(queue, self.outgoing(body, delay, attributes, dedup_id, group_id))

    def post(self, queue: str, message: Outgoing, *, at_once: bool = False) -> Receipt:
        """Send a message that is made; ``at_once`` does not wait for the commit of a session.

        A queue in the database of that session would wait for the session itself, so there it
        waits all the same. Raises what `send` raises.
        """
        if queue in self._missing:
            self.broker.declare(queue)
            self._missing.discard(queue)
        outbox = self.outbox
        joins = outbox is not None and not (at_once and outbox.relays)
        if outbox is not None and joins and outbox.hold(queue, message):
            return Receipt(message.id, queue, deferred=True)
        return self.broker.send(queue, [message])[0]

    def consumer(
        self,
        queue: str,
        *,
        parallel: int = 1,
        prefetch: int = 10,
        visibility: float | None = None,
        max_deliveries: int | None = None,
        retry_delay: float | None = None,
        once: bool = False,
        exclusive: bool = False,
    ) -> Callable[[F], F]:
        """Let a function handle the messages of a queue, in every worker.

        It is called with a `Message` inside an application context. A message is deleted once it
        returns; where it raises or returns ``False`` the message comes back after
        ``retry_delay`` seconds, doubled each time, and after ``max_deliveries`` it is a dead
        letter. ``once`` handles each id once, in the transaction of the session, which is
        committed for it. ``exclusive`` lets one worker of the host consume at a time. Raises
        `MessageError` for what makes no sense.
        """
        settings = self._settings

        def decorate(handler: F) -> F:
            self.add(
                Plan(
                    queue=checked_name(queue),
                    handler=handler,
                    parallel=parallel,
                    prefetch=max(prefetch, parallel),
                    visibility=settings.visibility if visibility is None else visibility,
                    max_deliveries=max_deliveries or settings.max_deliveries,
                    retry_delay=settings.retry_delay if retry_delay is None else retry_delay,
                    wait=settings.wait,
                    once=once,
                    exclusive=exclusive,
                )
            )
            return handler

        return decorate

    def add(self, plan: Plan) -> None:
        """Consume a queue as planned, once this process starts."""
        problem = _problem(plan, self._database)
        if problem is not None:
            raise MessageError(f"The consumer of '{plan.queue}': {problem}")
        if any(known.queue == plan.queue for known in self._plans):
            raise MessageError(f"The queue '{plan.queue}' has two consumers: give it one.")
        if self._started:
            raise LifecycleError(f"{self._app.name} has started: add consumers before it serves.")
        self._plans.append(plan)

    # Gnar's interface

    def send_sqs_message(
        self,
        queue_name: str,
        message_body: str,
        delay_seconds: float | None = None,
        message_attributes: Mapping[str, Any] | None = None,
        message_deduplication_id: str | None = None,
        message_group_id: str | None = None,
    ) -> dict[str, Any]:
        """Send at once as Gnar Gear documents it, and give what SQS answers; see `post`."""
        given = {
            "delay_seconds": delay_seconds,
            "message_attributes": message_attributes,
            "message_deduplication_id": message_deduplication_id,
            "message_group_id": message_group_id,
        }
        return self._polls.send(queue_name, message_body, given)

    def get_sqs_client(self) -> Any:
        """Give boto3's client of SQS. Raises `SetupError` where the broker is another."""
        return self._polls.client()

    def get_sqs_queue_url(self, name: str) -> str:
        """Give the URL of a queue at SQS. Raises `UnknownQueue` where there is none."""
        return self._polls.queue_url(name)

    def poll(self, sqs: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Poll queues as Gnar Gear's ``sqs=`` describes them. Raises `ConfigError`."""
        self._polls.add(sqs, self._settings)

    # the life of a worker

    def start(self) -> None:
        """Make the queues that are named, and consume where this process does that."""
        self._take_marks()
        self._started = True
        consumed = [plan.queue for plan in self._plans] if self.runs_consumers else []
        self._declare(list(dict.fromkeys([*self._settings.names, *consumed])))
        if self.runs_consumers:
            self._start_consumers()
        if not self._app.lifecycle.embedded:
            self._start_relay()

    def names(self) -> list[str]:
        """Name the queues that this service knows: by its settings, its consumers, its broker."""
        self._take_marks()
        own = {*self._settings.names, *(plan.queue for plan in self._plans)}
        return sorted(own | set(self.broker.queues()))

    def _take_marks(self) -> None:
        taken = {plan.handler for plan in self._plans}
        for function, mark in self._app.marked:
            if mark.kind == "consumer" and function not in taken:
                try:
                    self.consumer(**mark.arguments)(function)
                except (TypeError, MessageError) as error:
                    where = f"{function.__module__}.{function.__qualname__}"
                    raise ExtensionError("queues", f"@consumer of {where}: {error}") from error

    @property
    def runs_consumers(self) -> bool:
        """Tell whether this process consumes."""
        return self._app.lifecycle.has_background(self._settings.consume)

    def _start_consumers(self) -> None:
        dispatch = Dispatch(self._app, self._handled())
        for plan in self._plans:
            turn = Turn(self._place(), plan.queue) if plan.exclusive else None
            self._consumers.append(Consumer(plan, self.broker, dispatch, turn))
        for consumer in self._consumers:
            consumer.start()

    def _place(self) -> str:
        """Tell services on this host apart: by where they are, and where their queues are."""
        settings = self._settings
        url = None if settings.url is None else settings.url.reveal()
        database = None if self._database is None else self._database.engine.url
        queues = (url, settings.sqs_endpoint_url, settings.sqs_region_name, repr(database))
        return repr((self._app.root_path, queues))

    def _start_relay(self) -> None:
        if self.outbox is not None and self._relay is not None and self.outbox.relays:
            self.outbox.committed = self._relay.wake
            self._relay.start()

    def _declare(self, names: list[str]) -> None:
        """Make queues; while the broker is down, each is made when it is first needed."""
        for number, name in enumerate(names):
            try:
                self.broker.declare(checked_name(name))
            except SetupError:
                raise
            except Unavailable as error:
                logger.error("Queues are not made yet: %s", error, exc_info=error)
                self._missing.update(names[number:])
                return
            except Exception as error:
                logger.error("The queue '%s' is not made yet: %s", name, error, exc_info=error)

    def _handled(self) -> Handled | None:
        return None if self._database is None else handled(self._database, self._settings.remember)

    def drain(self, deadline: Deadline) -> None:
        """Fetch no more, and finish the messages that are being handled."""
        for consumer in self._consumers:
            consumer.stop()
        if self._relay is not None:
            self._relay.stop()
        for consumer in self._consumers:
            if not consumer.join(deadline):
                logger.error("The handler of %s does not end in time", consumer.plan.queue)

    def close(self) -> None:
        """End what is still there, and leave the broker."""
        self.drain(Deadline(1.0))
        if self._relay is not None:
            self._relay.join(Deadline(1.0))
        if "broker" in self.__dict__:
            self.broker.close()

    @property
    def consumers(self) -> list[Consumer]:
        """Give the consumers that this process runs."""
        return self._consumers

    def _outbox(self) -> Outbox | None:
        if self._database is None or self._sql is None:
            return None
        return outbox(self._database, self._sql, lambda: self.broker)

    def outgoing(
        self,
        body: object,
        delay: float | None,
        attributes: Mapping[str, object] | None,
        dedup_id: str | None,
        group_id: str | None,
    ) -> Outgoing:
        """Make a message of what a sender gives. Raises `MessageError`."""
        if delay is not None and not 0 <= delay <= LONGEST_DELAY:
            raise MessageError(f"delay={delay!r}: give 0 to {LONGEST_DELAY:g} seconds.")
        for name, value in {"dedup_id": dedup_id, "group_id": group_id}.items():
            if value is not None and not 0 < len(value) <= 128:
                raise MessageError(f"{name}={value!r}: give a text of up to 128 characters.")
        message = Outgoing(
            id=uuid.uuid4().hex,
            body=written(body),
            sent=time.time(),
            attributes=checked_attributes(attributes),
            delay=delay or 0.0,
            dedup_id=dedup_id,
            group_id=group_id,
            request_id=current_request_id(),
        )
        if (size := size_of(message)) > self._settings.max_bytes:
            raise MessageError(
                f"The message has {size} bytes, and QUEUES_MAX_BYTES is "
                f"{self._settings.max_bytes}: put the data elsewhere and send its place."
            )
        return message


def _problem(plan: Plan, database: Database | None) -> str | None:
    handler: object = plan.handler
    if not callable(handler):
        return f"{plan.handler!r} cannot be called: give a function of one message."
    if plan.parallel < 1 or plan.prefetch < 1:
        return "parallel and prefetch must be at least 1."
    if plan.visibility < 1 or plan.max_deliveries < 1 or plan.retry_delay < 0:
        return "visibility and max_deliveries must be at least 1, retry_delay at least 0."
    if plan.exclusive and plan.parallel > 1:
        return "exclusive=True handles one at a time, so parallel must be 1."
    if plan.once and database is None:
        return "once=True needs the extension 'db': add it to extensions=[…]."
    return None
