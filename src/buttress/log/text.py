"""Log lines by a ``%`` format, as Python's logging knows them and Gnar Gear writes them."""

from __future__ import annotations

import logging
import re
from typing import Any

from buttress.log.escape import escape, indent
from buttress.log.record import message_of, pairs_of, shown, traceback_of

_LINE = re.compile(r":?%\(lineno\)-?\d*[ds]")
_NAME = re.compile(r"%\(([^)]*)\)")
_ambiguous = re.compile(r'[ "=]').search


class TextFormatter(logging.Formatter):
    """Write a record by a format; nothing in it begins a line of its own.

    The number of a line is left out of a record that has none, such as an access record.
    """

    def __init__(self, form: str, form_msec: str) -> None:
        super().__init__(form)
        self.default_msec_format = form_msec
        self._unplaced = logging.PercentStyle(_LINE.sub("", form))
        self._names = frozenset(_NAME.findall(form))

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, and the traceback below it, to the right."""
        known = record.__dict__
        safe = {name: _safe(known[name]) for name in self._names if name in known}
        safe["message"] = self._message(record)
        if self.usesTime():
            safe["asctime"] = self.formatTime(record, self.datefmt)
        style = self._style if record.lineno else self._unplaced
        line = style.format(_record_of(safe))
        trace = traceback_of(record)
        return f"{line}\n{indent(trace)}" if trace else line

    def _message(self, record: logging.LogRecord) -> str:
        pairs = pairs_of(record)
        rid = getattr(record, "rid", None)
        if rid is not None and "rid" not in self._names:
            pairs = pairs | {"rid": rid}
        return " ".join([escape(message_of(record)), *(pair(*each) for each in pairs.items())])


def _safe(value: object) -> object:
    return escape(value) if isinstance(value, str) else value


def _record_of(attributes: dict[str, Any]) -> logging.LogRecord:
    """Make a record of nothing but these; the usual way would look up process and thread again."""
    record = logging.LogRecord.__new__(logging.LogRecord)
    record.__dict__.update(attributes)
    return record


def pair(name: str, value: object) -> str:
    """Write ``name=value``; a value that would read as several words stands in quotes."""
    text = escape(shown(value))
    if not text or _ambiguous(text):
        quoted = text.replace('"', '\\"')
        text = f'"{quoted}"'
    return f"{escape(name)}={text}"
