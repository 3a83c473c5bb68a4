"""Messages as SQS writes them."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from buttress.errors import MessageError
from buttress.queues.message import Message, Outgoing

#: The attribute with what Buttress says of a message.
OURS = "buttress"
#: Most attributes of a message, and most messages of one request.
ATTRIBUTES, BATCH = 10, 10
#: Most seconds for which SQS hides a message.
LONGEST = 43_200
#: The group of messages that name none, in a queue that keeps groups in order.
GROUP = "default"
#: Most characters of a reason.
REASON = 1000


def is_fifo(queue: str) -> bool:
    """Tell whether a queue keeps order, by its name, as SQS does."""
    return queue.endswith(".fifo")


def seconds(duration: float) -> int:
    """Round a duration up to what SQS can hide a message for."""
    return min(LONGEST, math.ceil(duration))


def entry(queue: str, message: Outgoing) -> dict[str, Any]:
    """Write a message for ``SendMessage`` or its batch.

    Raises `MessageError` for a delay in a queue that keeps order: SQS has none there.
    """
    carried = {"group": message.group_id, "dedup": message.dedup_id}
    meta = {**message.meta, **{name: it for name, it in carried.items() if it is not None}}
    written: dict[str, Any] = {
        "MessageBody": message.body,
        "MessageAttributes": {**texts(message.attributes), **texts({OURS: _json(meta)})},
    }
    if is_fifo(queue):
        if message.delay > 0:
            raise MessageError(
                f"'{queue}' is a FIFO queue, where SQS delays no single message: send it without "
                "delay, or to another queue."
            )
        return {
            **written,
            "MessageGroupId": message.group_id or GROUP,
            "MessageDeduplicationId": message.dedup_id or message.id,
        }
    if message.delay > 0:
        written["DelaySeconds"] = math.ceil(message.delay)
    return written


def message_of(queue: str, raw: Mapping[str, Any]) -> Message:
    """Read what ``ReceiveMessage`` gave."""
    system, given = raw.get("Attributes", {}), raw.get("MessageAttributes", {})
    meta = _meta(given)
    return Message(
        id=meta.get("id") or raw["MessageId"],
        queue=queue,
        body=raw["Body"],
        count=int(system.get("ApproximateReceiveCount", 1)),
        attributes={
            name: it["StringValue"]
            for name, it in given.items()
            if name != OURS and "StringValue" in it
        },
        sent=_sent(meta.get("sent"), system.get("SentTimestamp")),
        request_id=meta.get("rid"),
        group_id=system.get("MessageGroupId") or meta.get("group"),
        reason=meta.get("reason"),
        tag=raw["ReceiptHandle"],
        raw=raw,
    )


def copy(queue: str, message: Message, most: int) -> dict[str, Any]:
    """Write a received message for another queue, with its reason where it has one.

    The reason is cut so that the copy has at most ``most`` bytes, as far as it can help that.
    It has an id against duplicates of its own: SQS would else swallow a second copy.
    """
    given = {
        name: {key: it[key] for key in ("DataType", "StringValue", "BinaryValue") if key in it}
        for name, it in message.raw.get("MessageAttributes", {}).items()
        if name != OURS
    }
    written: dict[str, Any] = {"MessageBody": message.body, "MessageAttributes": given}
    if len(given) < ATTRIBUTES:
        meta = _fitting(message, most - size_of(written))
        given.update(texts({OURS: _json(meta)}))
    if is_fifo(queue):
        written["MessageGroupId"] = message.group_id or GROUP
        written["MessageDeduplicationId"] = uuid.uuid4().hex
    return written


def batches(entries: Sequence[dict[str, Any]], most: int) -> Iterator[list[dict[str, Any]]]:
    """Part entries into batches of at most ten, and ``most`` bytes where no single one has more."""
    batch: list[dict[str, Any]] = []
    size = 0
    for each in entries:
        added = size_of(each)
        if batch and (len(batch) == BATCH or size + added > most):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += added
    if batch:
        yield batch


def size_of(written: Mapping[str, Any]) -> int:
    """Count the bytes of an entry as SQS does: its body, and the attributes with their types."""
    size = len(written["MessageBody"].encode())
    for name, it in written["MessageAttributes"].items():
        value = it["StringValue"].encode() if "StringValue" in it else it.get("BinaryValue", b"")
        size += len(name.encode()) + len(it["DataType"]) + len(value)
    return size


def texts(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Write attributes as SQS wants them."""
    return {
        name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
    }


def _fitting(message: Message, left: int) -> dict[str, str]:
    meta = {"id": message.id, "sent": f"{message.sent or 0:.6f}"}
    named = {"rid": message.request_id, "group": message.group_id}
    meta.update({name: it for name, it in named.items() if it is not None})
    if message.reason is not None:
        left -= len(OURS) + len("String") + len(_json({**meta, "reason": ""}))
        # A character is written in six bytes at most, as \u001f.
        meta["reason"] = message.reason[: max(0, min(REASON, left // 6))]
    return meta


def _json(meta: Mapping[str, str]) -> str:
    return orjson.dumps(meta).decode()


def _meta(given: Mapping[str, Any]) -> dict[str, str]:
    """Read our attribute; what somebody else wrote there says nothing."""
    try:
        return msgspec.json.decode(
            given.get(OURS, {}).get("StringValue", "{}"), type=dict[str, str]
        )
    except msgspec.MsgspecError:
        return {}


def _sent(ours: str | None, theirs: str | None) -> float | None:
    try:
        return float(ours or "")
    except ValueError:
        return None if theirs is None else int(theirs) / 1000
