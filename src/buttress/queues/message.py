"""Messages: what is sent, what is received, and the receipt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec
import orjson

from buttress.errors import MessageError, Reject

T = TypeVar("T")

#: Seconds that a message may be delayed, at most; the limit of SQS.
LONGEST_DELAY = 900.0
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")
#: What a text may hold everywhere: the characters of XML 1.0, as SQS asks for.
_SENDABLE = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


@dataclass(frozen=True)
class Outgoing:
    """A message on its way to a broker; ``delay`` is in seconds, ``sent`` since 1970."""

    id: str
    body: str
    sent: float
    attributes: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    dedup_id: str | None = None
    group_id: str | None = None
    request_id: str | None = None
    #: What only one technology understands; it then carries nothing beside it.
    raw: Mapping[str, Any] | None = None

    @property
    def meta(self) -> dict[str, str]:
        """Give what travels beside the attributes that the sender gave."""
        meta = {"id": self.id, "sent": f"{self.sent:.6f}"}
        return meta if self.request_id is None else {**meta, "rid": self.request_id}


class Receipt(NamedTuple):
    """What a sender gets: the id of the message, and whether it waits for a session's commit."""

    id: str
    queue: str
    deferred: bool = False
    #: What the broker itself answered, where there is more.
    raw: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Message:
    """A message as a handler gets it."""

    id: str
    queue: str
    body: str
    #: Which delivery this is, from 1.
    count: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict)
    sent: float | None = None
    request_id: str | None = None
    group_id: str | None = None
    dedup_id: str | None = None
    #: Why it is among the dead letters.
    reason: str | None = None
    #: By what the broker knows this delivery, and how it wrote it.
    tag: Any = field(default=None, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sent_at(self) -> datetime | None:
        """Give when it was sent, in UTC."""
        return None if self.sent is None else datetime.fromtimestamp(self.sent, UTC)

    def json(self, kind: type[T] | Any = Any) -> T:
        """Read the body as JSON, of a type where one is given.

        Raises `Reject`, which sends the message to the dead letters, where it is none.
        """
        try:
            found: T = msgspec.json.decode(self.body, type=kind)
        except msgspec.MsgspecError as error:
            raise Reject(f"The body is not the JSON that was asked for: {error}.") from error
        return found

    def because(self, reason: str) -> Message:
        """Give it with the reason for which it is a dead letter."""
        return replace(self, reason=reason)


def written(body: object) -> str:
    """Write a body: text as it is, anything else as JSON.

    Raises `MessageError` for what JSON cannot say, and for characters that no queue carries.
    """
    if isinstance(body, bytes | bytearray | memoryview):
        raise MessageError("A body of bytes is not carried: encode it, with base64 for one.")
    if not isinstance(body, str):
        body = _as_json(body)
    if not _SENDABLE.fullmatch(body):
        raise MessageError(
            "The body has control characters or halves of a pair that no queue carries: send it "
            "as JSON, or encode it."
        )
    return body


def checked_name(queue: object) -> str:
    """Give the name of a queue. Raises `MessageError` for what is none."""
    if not isinstance(queue, str) or not _NAME.fullmatch(queue.removesuffix(".fifo")):
        raise MessageError(
            f"{queue!r} is no name of a queue: write up to 80 letters, digits, dots, dashes and "
            "underscores."
        )
    return queue


def checked_attributes(attributes: Mapping[Any, object] | None) -> dict[str, str]:
    """Give attributes as texts. Raises `MessageError` for names and values that are not carried."""
    found = {}
    for name, value in (attributes or {}).items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name.lower() == "buttress":
            raise MessageError(f"{name!r} is no name of an attribute: letters, digits, . - and _.")
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise MessageError(f"The attribute {name} is {value!r}: give a text or a number.")
        if value == "" or not _SENDABLE.fullmatch(str(value)):
            raise MessageError(f"The attribute {name} is empty or has control characters.")
        found[name] = str(value)
    if len(found) > 9:
        raise MessageError(f"{len(found)} attributes are too many: at most 9 are carried.")
    return found


def size_of(message: Outgoing) -> int:
    """Count the bytes of a message as SQS does: its body, and names and values of attributes."""
    texts = [message.body, *message.attributes, *message.attributes.values()]
    return sum(len(text.encode()) for text in texts) + len(orjson.dumps(message.meta))


def _as_json(body: object) -> str:
    """Write JSON; the two characters that JSON allows and queues do not are escaped."""
    try:
        text = orjson.dumps(body).decode()
        return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    except (TypeError, ValueError) as error:
        raise MessageError(f"The body is neither text nor JSON: {error}.") from error
