"""What comes out of the queue of snow reports."""

from __future__ import annotations

import time

from buttress import consumer
from buttress.queues import Message
from piste.app.reports import services
from piste.app.reports.constants import QUEUE


@consumer(QUEUE, once=True)
def ingest(message: Message) -> None:
    """Ingest one report."""
    services.ingest(message.json(services.Report), message.sent or time.time())
