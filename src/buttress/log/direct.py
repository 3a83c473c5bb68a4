"""The short way to standard output, for records that nothing but our handler would see."""

from __future__ import annotations

import logging
from typing import Any

from buttress.log.mozlog import MozlogFormatter
from buttress.log.output import OUTPUT


def sole_formatter(logger: logging.Logger) -> MozlogFormatter | None:
    """Give the formatter of our handler where a record of level INFO would reach nothing else.

    ``None`` where a record must be made: for another style or handler, a filter, or whoever has
    replaced a part of Python's logging. Asked anew for each record, since all of this may change.
    """
    handler = OUTPUT.handler
    formatter = handler.formatter
    alone = (
        type(formatter) is MozlogFormatter
        and logging.root.handlers == [handler]
        and not (logger.filters or logger.disabled or handler.filters)
        and _unseen(logger)
        and handler.level <= logging.INFO
        and logging.logProcesses
        and _machinery(type(logger)) == _STANDARD
    )
    return formatter if alone else None  # type: ignore[return-value]  # its type is asked above


def _unseen(logger: logging.Logger) -> bool:
    """Tell whether records reach the root, and no handler before it."""
    place: logging.Logger | None = logger
    while place is not logging.root:
        if place is None or place.handlers or not place.propagate:
            return False
        place = place.parent
    return True


def _machinery(kind: type[logging.Logger]) -> tuple[object, ...]:
    """Give what stands between a logger and a handler; monitoring tools put their own there."""
    return logging.getLogRecordFactory(), kind.makeRecord, kind.handle, kind.callHandlers


def _standard(part: Any) -> bool:
    return part.__module__ == "logging" and not hasattr(part, "__wrapped__")


# A tool may have been here before this module: nothing equals an empty tuple then.
_STANDARD = _machinery(logging.Logger)
if not all(map(_standard, _STANDARD)):
    _STANDARD = ()
