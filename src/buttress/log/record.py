"""What a record of the standard logging says, for every style of line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

#: The attribute in which our own loggers leave ``key=value`` pairs.
VALUES = "values"

_OWN = frozenset(
    (*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "rid", "service", VALUES)
)


def message_of(record: logging.LogRecord) -> str:
    """Give the message; a call whose arguments do not fit is shown as it was written."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 -- a broken log call must not break a request
        return f"{record.msg!r} % {record.args!r} ({type(error).__name__}: {error})"


def values_of(record: logging.LogRecord) -> dict[str, Any]:
    """Give the ``key=value`` pairs, and whatever ``extra=`` put on the record."""
    extra = {name: value for name, value in record.__dict__.items() if name not in _OWN}
    return {**extra, **getattr(record, VALUES, {})}


def traceback_of(record: logging.LogRecord) -> str:
    """Give the traceback and the stack that came with the record; empty without."""
    parts = []
    if record.exc_info and record.exc_info[1] is not None:
        parts.append("".join(traceback.format_exception(record.exc_info[1])))
    elif record.exc_text:
        parts.append(record.exc_text)
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts).rstrip("\n")


def shown(value: object, limit: Callable[[object], str] = str) -> str:
    """Write a value as text; one that cannot be written gives its type."""
    try:
        return limit(value)
    except Exception:  # noqa: BLE001 -- a broken __str__ must not break a request
        return f"<{type(value).__name__}>"
