"""Log lines for people at a terminal, drawn by structlog."""

from __future__ import annotations

import logging
import os
import sys
import time
from functools import cached_property
from typing import TYPE_CHECKING

from buttress.log.escape import escape, indent
from buttress.log.record import message_of, pairs_of, shown, traceback_of

if TYPE_CHECKING:
    from structlog.dev import ConsoleRenderer


class ConsoleFormatter(logging.Formatter):
    """Write a record for people; colours only on a terminal, and not against ``NO_COLOR``."""

    @cached_property
    def _renderer(self) -> ConsoleRenderer:
        # Imported with the first line: production never draws.
        from structlog.dev import ConsoleRenderer

        colors = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        return ConsoleRenderer(colors=colors, sort_keys=False, pad_event_to=1)

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, and the traceback below it, to the right."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        event = {
            "timestamp": f"{clock}.{int(record.msecs):03d}",
            "level": record.levelname.lower(),
            "event": escape(message_of(record)),
            "logger": escape(record.name),
        }
        pairs = pairs_of(record)
        rid = getattr(record, "rid", None)
        if rid is not None:
            pairs = pairs | {"rid": rid}
        safe = {escape(name): escape(shown(value)) for name, value in pairs.items()}
        line = str(self._renderer(None, "", safe | event))
        trace = traceback_of(record)
        return f"{line}\n{indent(trace)}" if trace else line
