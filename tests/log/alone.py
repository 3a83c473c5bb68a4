"""A process in which nothing but our own handler sees log records, as in production."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from buttress.log import Log, LogSettings
from buttress.log.output import OUTPUT


@contextmanager
def alone() -> Iterator[Log]:
    """Open a log that writes JSON, and put pytest's handlers aside; they come with each phase."""
    log = Log("shop", LogSettings(style="json"), "production")
    OUTPUT.open(log)
    found, logging.root.handlers = logging.root.handlers, [OUTPUT.handler]
    try:
        yield log
    finally:
        logging.root.handlers = found
        OUTPUT.close(log)
