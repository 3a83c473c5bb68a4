"""What a received message becomes when it is sent again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import amqp

#: Where a quorum queue counts the deliveries of a message before this one; others do not.
COUNT = "x-delivery-count"
#: Properties that are the first sender's: the broker refuses a user who is not the one that
#: sends, and takes a message away when it expires, be it a dead letter.
FIRST_SENDERS = ("user_id", "expiration", "cluster_id")
#: How headers begin that are the broker's own, and those that name more queues to send to.
BROKERS = (COUNT, "x-death", "x-acquired-count", "x-first-death-", "x-last-death-")
MORE_QUEUES = ("CC", "BCC")
PERSISTENT = 2


def headers_of(raw: Any) -> dict[str, Any]:
    """Give the headers of a message that do not steer the broker."""
    found = raw.properties.get("application_headers") or {}
    return {name: it for name, it in found.items() if not _steers(name)}


def copy_of(raw: Any, headers: Mapping[str, Any]) -> Any:
    """Write a received message again, persistent and with these headers."""
    kept = {name: it for name, it in raw.properties.items() if name not in FIRST_SENDERS}
    kept |= {"application_headers": dict(headers), "delivery_mode": PERSISTENT}
    return amqp.Message(raw.body, **kept)


def is_uncounted(raw: Any) -> bool:
    """Tell whether a message is marked as delivered before and the broker does not count that."""
    headers = raw.properties.get("application_headers") or {}
    return bool(raw.delivery_info.get("redelivered")) and COUNT not in headers


def _steers(name: str) -> bool:
    return name.startswith(BROKERS) or name in MORE_QUEUES
