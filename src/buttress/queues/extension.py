"""The extension ``queues``: messages between services, and work for later."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buttress.errors import Unhealthy
from buttress.extension import Extension
from buttress.lifecycle import Deadline
from buttress.queues.brokers import location, scheme_of
from buttress.queues.queues import Queues
from buttress.queues.settings import QueuesSettings

if TYPE_CHECKING:
    from buttress.queues.consumer import Consumer
    from buttress.service import Service

VERSIONS = Path(__file__).with_name("versions")


class QueuesExtension(Extension[QueuesSettings, Queues]):
    """Send messages, and consume them with supervision."""

    name = "queues"
    settings = QueuesSettings
    provides = ("send_sqs_message", "get_sqs_client", "get_sqs_queue_url")

    def requires(self, settings: QueuesSettings) -> tuple[str, ...]:
        """Name the database where it is the broker."""
        return ("db",) if settings.url and scheme_of(settings, True) == "sql" else ()

    def build(self, app: Service, settings: QueuesSettings) -> Queues:
        """Make it; the broker is not contacted."""
        slot = app.slot("db")
        database = None if slot is None else app.db
        queues = Queues(app, settings, database)
        if app.plan is not None and app.plan.extensions is not None:
            _ = queues.broker  # what is missing is told now
        if database is not None and queues.outbox is not None:
            database.migrations.locations.append(location(VERSIONS))
            app.teardown_appcontext(queues.outbox.leave)
        return queues

    def start(self, it: Queues) -> None:
        """Begin to consume, where this process does."""
        it.start()

    def check(self, it: Queues) -> Mapping[str, Any]:
        """Ask the broker, and tell of the progress and the lag of each consumer."""
        details = {each.plan.queue: _progress(it, each) for each in it.consumers}
        stuck = [name for name, told in details.items() if told["state"] != "running"]
        if stuck:
            raise Unhealthy(f"Consumers do not work: {', '.join(stuck)}.", **details)
        try:
            it.broker.ping()
        except Exception as error:
            raise Unhealthy(f"The broker {it.broker.name} does not answer.", **details) from error
        return details

    def drain(self, it: Queues, deadline: Deadline) -> None:
        """Fetch no more, and finish what is being handled."""
        it.drain(deadline)

    def close(self, it: Queues) -> None:
        """Leave the broker."""
        it.close()


def _progress(queues: Queues, consumer: Consumer) -> dict[str, Any]:
    counts, loop = consumer.counts, consumer.loop
    state = "running" if loop.running else "ended"
    found: dict[str, Any] = {
        "state": "failing" if loop.failure is not None else state,
        "handled": counts.handled,
        "failed": counts.failed,
        "buried": counts.buried,
        "idle": None if counts.last is None else round(time.monotonic() - counts.last, 1),
    }
    if loop.failure is None:
        found["lag"] = queues.broker.depth(consumer.plan.queue)._asdict()
    return found
