"""What comes out of the queue of closures."""

from __future__ import annotations

from buttress import consumer
from buttress.queues import Message
from piste.app.closures import services
from piste.app.closures.constants import QUEUE


@consumer(QUEUE)
def tell(message: Message) -> None:
    """Tell the patrol of one closure."""
    services.tell_patrol(message.json(services.Closure))
