"""What a record of the standard logging says, for every style of line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

#: The attribute in which `app.log` leaves its ``key=value`` pairs.
VALUES = "values"

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message", "asctime", "taskName", "rid", "service", VALUES,
}  # fmt: skip


def message_of(record: logging.LogRecord) -> str:
    """Give the message; a call whose arguments do not fit is shown as it was written."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 -- a broken log call must not break a request
        return f"{shown(record.msg, repr)} % {shown(record.args, repr)} ({shown(error, repr)})"


def pairs_of(record: logging.LogRecord) -> dict[str, Any]:
    """Give the ``key=value`` pairs of `app.log`."""
    pairs: dict[str, Any] = record.__dict__.get(VALUES) or {}
    return pairs


def extras_of(record: logging.LogRecord) -> dict[str, Any]:
    """Give what ``extra=`` put on the record, and the pairs."""
    extras = {name: value for name, value in record.__dict__.items() if name not in _OWN}
    return extras | pairs_of(record)


def traceback_of(record: logging.LogRecord) -> str:
    """Give the traceback and the stack that came with the record; empty without."""
    parts = [record.exc_text or ""]
    if record.exc_info and record.exc_info[1] is not None:
        parts = ["".join(traceback.format_exception(record.exc_info[1])).rstrip("\n")]
    parts.append(record.stack_info or "")
    return "\n".join(filter(None, parts))


def shown(value: object, write: Callable[[object], str] = str) -> str:
    """Write a value as text; one that cannot be written gives its type."""
    try:
        return write(value)
    except Exception:  # noqa: BLE001 -- a broken __str__ must not break a request
        return f"<{type(value).__name__}>"
