"""Messages as AMQP carries them: the body, and one header with what Buttress says of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import amqp

from buttress.amqp.parcel import COUNT, PERSISTENT, copy_of, headers_of
from buttress.queues.message import Message, Outgoing

if TYPE_CHECKING:
    from buttress.queues.amqp_link import Link

#: The header that is ours. Attributes are in it: as headers, some would steer the broker.
OURS = "buttress"
#: Most characters of a reason.
REASON = 1000


@dataclass(frozen=True, eq=False)
class Delivery:
    """By what a received message is settled: its number on the link that brought it."""

    link: Link
    number: int
    #: As the broker gave it.
    parcel: Any

    def __str__(self) -> str:
        return f"{self.link.name}/{self.number}"


def parcel(message: Outgoing) -> Any:
    """Write a message for the broker."""
    more = {"dedup": message.dedup_id, "group": message.group_id}
    ours: dict[str, Any] = {
        **message.meta,
        **{name: it for name, it in more.items() if it is not None},
        "attributes": dict(message.attributes),
    }
    return amqp.Message(
        message.body.encode(),
        content_type="text/plain",
        content_encoding="utf-8",
        delivery_mode=PERSISTENT,
        message_id=message.id,
        application_headers={OURS: ours},
    )


def copy(message: Message, *, count: int) -> Any:
    """Write a received message again: ``count`` deliveries are behind it."""
    old = message.tag.parcel
    headers = headers_of(old)
    ours = {**_ours(headers), "id": message.id, "count": count}
    ours.pop("reason", None)
    if message.reason is not None:
        ours["reason"] = message.reason[:REASON]
    return copy_of(old, {**headers, OURS: ours})


def message_of(queue: str, link: Link, found: Any) -> Message:
    """Read what the broker delivered; a body that is no UTF-8 is read as far as it is."""
    headers = _headers(found)
    ours = _ours(headers)
    body = found.body
    return Message(
        id=str(ours.get("id") or found.properties.get("message_id") or uuid.uuid4().hex),
        queue=queue,
        body=body if isinstance(body, str) else bytes(body or b"").decode(errors="replace"),
        count=1 + _number(ours.get("count")) + _number(headers.get(COUNT)),
        attributes=_attributes(ours.get("attributes", headers_of(found))),
        sent=_sent(ours.get("sent"), found.properties.get("timestamp")),
        request_id=_text(ours.get("rid")),
        group_id=_text(ours.get("group")),
        reason=_text(ours.get("reason") or headers.get("x-first-death-reason")),
        tag=Delivery(link, found.delivery_tag, found),
    )


def _headers(found: Any) -> dict[str, Any]:
    return found.properties.get("application_headers") or {}


def _ours(headers: Mapping[str, Any]) -> dict[str, Any]:
    ours = headers.get(OURS)
    return dict(ours) if isinstance(ours, dict) else {}


def _attributes(given: object) -> dict[str, str]:
    """Give the attributes; of another sender's message they are its plain headers."""
    found = given.items() if isinstance(given, dict) else ()
    return {name: str(it) for name, it in found if isinstance(it, str | int | float)}


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _sent(ours: object, theirs: Any) -> float | None:
    try:
        return float(ours)  # type: ignore[arg-type]  # what is no number is refused here
    except (TypeError, ValueError):
        return float(theirs) if isinstance(theirs, int) else None
