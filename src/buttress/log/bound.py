"""The bridge from structlog's loggers to the standard logging."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from types import FrameType
from typing import TYPE_CHECKING, Any

from buttress.log.record import VALUES

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

_OURS = ("structlog.", "buttress.log.")


def bound_logger(name: str) -> BoundLogger:
    """Make a structlog logger that writes through the standard logger of that name."""
    import structlog

    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=_processors(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger.bind()


def adopt_structlog() -> bool:
    """Lead ``structlog.get_logger()`` into the standard logging too.

    Done where the application has imported structlog and not configured it; tells whether.
    """
    structlog: Any = sys.modules.get("structlog")
    if structlog is None or structlog.is_configured():
        return False
    structlog.configure(
        processors=_processors(),
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=_standard_logger,
    )
    return True


def release_structlog() -> None:
    """Put structlog's own defaults back."""
    import structlog

    structlog.reset_defaults()


def hand_over(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Turn an event into the arguments of a standard logging call (a structlog processor)."""
    text = event.pop("event", "")
    arguments = event.pop("positional_args", ())
    options = {name: event.pop(name) for name in ("exc_info", "stack_info") if name in event}
    return (text, *arguments), {"extra": {VALUES: dict(event)}, "stacklevel": _depth(), **options}


def _processors() -> list[Any]:
    import structlog

    return [structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, hand_over]


def _standard_logger(*names: str) -> logging.Logger:
    """Give the logger of that name, or of the module that asks.

    structlog's own factory would give every new logger of the process another class, which looks
    for the calling code in a way that does not go with ours.
    """
    asking, _ = _caller()
    return logging.getLogger(names[0] if names else asking.f_globals.get("__name__", "root"))


def _depth() -> int:
    """Count the frames between the standard logger and the code that logs."""
    _, count = _caller()
    # This function, the processor and structlog's loop over the processors do not call the logger,
    # and neither does the function that counts.
    return max(1, count - 3)


def _caller() -> tuple[FrameType, int]:
    """Find the first frame that is neither structlog's nor ours, and the number of those before."""
    frame, count = sys._getframe(), 0
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame, count = frame.f_back, count + 1
    return frame, count
