"""The extension ``pulse``."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from buttress.amqp.pool import Pool
from buttress.errors import ExtensionError, Unavailable, Unhealthy
from buttress.extension import Extension
from buttress.lifecycle import Deadline
from buttress.loop import Loop
from buttress.pulse.consumer import Consumer
from buttress.pulse.envelope import checked_exchange, checked_routing_key, sealed
from buttress.pulse.link import FAILURES, Link, connection_to
from buttress.pulse.publisher import Publisher
from buttress.pulse.settings import PulseSettings
from buttress.pulse.subscription import Subscription, subscription

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.pulse")

F = TypeVar("F", bound=Callable[..., Any])

#: Seconds that handlers have where the service closes without having drained.
PATIENCE = 5.0


class Pulse:
    """What ``app.pulse`` is: a publisher and consumers of topic exchanges on RabbitMQ."""

    def __init__(self, app: Service, settings: PulseSettings) -> None:
        # The application has this as an attribute: a plain reference would be a cycle.
        self._app = cast("Service", weakref.proxy(app))
        self._settings = settings
        self._address = settings.address
        most = settings.connections
        busy = partial(TimeoutError, f"all {most} connections are in use (PULSE_CONNECTIONS)")
        self._pool = Pool(self._publishing, most, busy)
        self._publisher = Publisher(
            self._pool, f"RabbitMQ at {self._address.shown}", settings.connection_timeout
        )
        self._subscriptions: dict[str, Subscription] = {}
        self._consumers: list[Consumer] = []
        self._keeper: Loop | None = None

    @property
    def connection(self) -> Any:
        """Make a new `kombu.Connection` to the broker, for what is not offered here."""
        return self._connection("extra")

    def publish(self, exchange: str, routing_key: str, payload: Any) -> None:
        """Send a payload, which must be JSON, and return once the broker has confirmed it.

        The exchange is declared as a durable topic exchange. Raises `ValueError` for what cannot
        be sent, `Unavailable` where no confirm comes in time, and `PulseRefused` for what the
        broker does not allow.
        """
        checked_exchange(exchange)
        checked_routing_key(routing_key)
        body = sealed(exchange, routing_key, payload, self._settings.max_message_size)
        self._publisher.publish(exchange, routing_key, body)

    def consumer(
        self,
        exchange: str,
        routing_key: str | Sequence[str] = "#",
        *,
        queue: str | None = None,
        prefetch: int | None = None,
        declare_exchange: bool = False,
    ) -> Callable[[F], F]:
        """Have a function ``handler(body, message)`` handle what the exchange has for these keys.

        Its queue is ``queue/<user>/<queue>``, by default with the name of the function. Raises
        `ExtensionError` for what cannot be a consumer.
        """

        def decorate(handler: F) -> F:
            late = self._app.may_register("pulse.consumer")
            added = self._add(
                handler, exchange, routing_key, queue, prefetch, declare_exchange=declare_exchange
            )
            if late and self._keeper is not None:
                self._begin(added)
            return handler

        return decorate

    def ping(self) -> None:
        """Connect to the broker and take leave. Raises `Unavailable` where that fails."""
        try:
            Link(self._connection("ping"), self._settings.connection_timeout).close()
        except FAILURES as error:
            raise Unavailable("The message broker does not answer.") from error

    def start(self) -> None:
        """Take up the functions that discovery found, and begin to consume where it is wanted."""
        for function, mark in self._app.marked:
            if mark.kind == "pulse_consumer":
                self._take_up(function, mark.arguments)
        if self._app.lifecycle.has_background(self._settings.consume):
            self._keeper = Loop("pulse-heartbeat", self._beat)
            self._keeper.start()
            for it in self._subscriptions.values():
                self._begin(it)

    def check(self) -> dict[str, Any]:
        """Tell how publishing and consuming go. Raises `Unhealthy` where they do not."""
        details = {
            "published": {
                "confirmed": self._publisher.confirmed,
                "failed": self._publisher.failed,
            },
            "consumers": {it.subscription.queue: it.details() for it in self._consumers},
        }
        try:
            self.ping()
        except Unavailable as error:
            logger.warning("%s does not answer: %s", self._address.shown, error.__cause__)
            raise Unhealthy(
                f"RabbitMQ at {self._address.shown} does not answer.", **details
            ) from error
        failing = [it.subscription.queue for it in self._consumers if it.failure is not None]
        if failing:
            raise Unhealthy(f"Nothing is consumed of {', '.join(failing)}.", **details)
        return details

    def drain(self, deadline: Deadline) -> None:
        """Receive nothing more, and wait for the handlers that run.

        Raises `TimeoutError` where one does not end; its message is delivered again.
        """
        late = self._end(deadline)
        if late:
            raise TimeoutError(f"handlers of {', '.join(late)} did not end in time")

    def close(self) -> None:
        """Let go of every connection."""
        drained = self._keeper is None or self._keeper.stopping
        late = self._end(Deadline(0 if drained else PATIENCE))
        if late:
            logger.warning("Handlers of %s still run; their messages come again", ", ".join(late))
        self._pool.close()

    def _end(self, deadline: Deadline) -> list[str]:
        for it in self._consumers:
            it.stop()
        late = [it.subscription.queue for it in self._consumers if not it.close(deadline)]
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper.join(deadline)
        return late

    def _add(
        self,
        handler: Callable[..., Any],
        exchange: str,
        routing_key: str | Sequence[str] = "#",
        queue: str | None = None,
        prefetch: int | None = None,
        *,
        declare_exchange: bool = False,
    ) -> Subscription:
        made = subscription(
            handler,
            user=self._address.user,
            exchange=exchange,
            routing_key=routing_key,
            queue=queue,
            prefetch=self._settings.prefetch if prefetch is None else prefetch,
            declare_exchange=declare_exchange,
        )
        if made.queue in self._subscriptions:
            raise ExtensionError(
                "pulse", f"Two consumers have the queue {made.queue}: give one queue='…'."
            )
        self._subscriptions[made.queue] = made
        return made

    def _take_up(self, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
        try:
            self._add(function, **options)
        except TypeError as error:
            name = f"{function.__module__}.{function.__name__}"
            raise ExtensionError("pulse", f"@pulse_consumer of {name}: {error}.") from error

    def _begin(self, wanted: Subscription) -> None:
        consumer = Consumer(
            wanted, self._consuming, self._app.app_context, self._settings.max_deliveries
        )
        self._consumers.append(consumer)
        consumer.start()

    def _beat(self) -> float:
        for it in self._consumers:
            it.beat()
        return self._settings.heartbeat / 4

    def _publishing(self, seconds: float) -> Link:
        return Link(self._connection("publisher", seconds), seconds)

    def _consuming(self) -> Link:
        connection = self._connection("consumer", heartbeat=self._settings.heartbeat)
        return Link(connection, self._settings.connection_timeout)

    def _connection(self, purpose: str, seconds: float | None = None, heartbeat: int = 0) -> Any:
        return connection_to(
            self._address,
            seconds or self._settings.connection_timeout,
            name=f"{self._app.name} {purpose}",
            heartbeat=heartbeat,
        )


class PulseExtension(Extension[PulseSettings, Pulse]):
    """Publish to topic exchanges on RabbitMQ, and consume from them."""

    name = "pulse"
    settings = PulseSettings

    def build(self, app: Service, settings: PulseSettings) -> Pulse:
        """Make it; nothing is contacted."""
        return Pulse(app, settings)

    def start(self, it: Pulse) -> None:
        """Begin to consume."""
        it.start()

    def check(self, it: Pulse) -> Mapping[str, Any]:
        """Connect to the broker, and look at the consumers."""
        return it.check()

    def drain(self, it: Pulse, deadline: Deadline) -> None:
        """Finish what is being handled."""
        it.drain(deadline)

    def close(self, it: Pulse) -> None:
        """Let go of every connection."""
        it.close()
