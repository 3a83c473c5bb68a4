"""A message as a consumer receives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from buttress.amqp.parcel import COUNT, is_uncounted
from buttress.errors import LifecycleError
from buttress.pulse.envelope import opened
from buttress.web import REQUEST_ID_HEADER

Settlement = Literal["acknowledged", "rejected", "requeued"]

#: What a copy that a consumer made says of the message: how often it was delivered, and whence.
DELIVERIES, EXCHANGE, ROUTING_KEY = "X-Deliveries", "X-Origin-Exchange", "X-Origin-Routing-Key"


class Message:
    """Hold a message and what became of it.

    It is acknowledged once its handler returns, so a handler calls `ack`, `reject` or `requeue`
    only to decide earlier, or otherwise.
    """

    def __init__(
        self, raw: Any, own_exchange: str, settle: Callable[[Message, Settlement, str], None]
    ) -> None:
        self.raw = raw
        self._settle = settle
        info, properties = raw.delivery_info, raw.properties
        self.headers: dict[str, Any] = properties.get("application_headers") or {}
        # Anyone may write such headers, but only this user by this exchange.
        copied = self.headers if info["exchange"] == own_exchange else {}
        #: The exchange that it was published to, and its routing key.
        self.exchange: str = copied.get(EXCHANGE, info["exchange"])
        self.routing_key: str = copied.get(ROUTING_KEY, info["routing_key"])
        #: The same for every delivery, and for a repetition by our publisher.
        self.message_id: str | None = properties.get("message_id")
        #: How many times it was delivered, this one included.
        self.deliveries = 1 + _number(copied.get(DELIVERIES)) + _number(self.headers.get(COUNT))
        #: True where it was delivered before and nobody has counted that.
        self.uncounted = is_uncounted(raw)
        #: What was decided; ``None`` while it is not settled.
        self.settled: Settlement | None = None
        self.body, self.unreadable = _read(raw.body)

    @property
    def payload(self) -> Any:
        """Give what is in the envelope; the whole body where there is none."""
        body = self.body
        return body["payload"] if isinstance(body, dict) and "payload" in body else body

    @property
    def request_id(self) -> str | None:
        """Give the id of the request that caused it."""
        found = self.headers.get(REQUEST_ID_HEADER)
        return found if isinstance(found, str) else None

    def ack(self) -> None:
        """Take the message off the queue. Raises `LifecycleError` where it is settled already."""
        self._become("acknowledged")

    def reject(self, reason: str = "rejected by its handler") -> None:
        """Put the message into the dead-letter queue. Raises `LifecycleError` as `ack` does."""
        self._become("rejected", reason)

    def requeue(self) -> None:
        """Have the message delivered again, after others. Raises `LifecycleError` as `ack` does."""
        self._become("requeued")

    def origin(self) -> dict[str, Any]:
        """Give the headers of a copy: what would else be lost."""
        return {
            DELIVERIES: self.deliveries,
            EXCHANGE: self.exchange,
            ROUTING_KEY: self.routing_key,
        }

    def __repr__(self) -> str:
        return f"<Message {self.routing_key!r} of {self.exchange!r}, delivery {self.deliveries}>"

    def _become(self, settlement: Settlement, reason: str = "") -> None:
        if self.settled is not None:
            raise LifecycleError(f"The message is {self.settled} already: settle it once.")
        self._settle(self, settlement, reason)
        self.settled = settlement


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _read(body: Any) -> tuple[Any, str | None]:
    """Give the JSON of a body, or why there is none."""
    try:
        return opened(body), None
    except ValueError as error:
        return None, str(error)
