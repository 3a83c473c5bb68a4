"""Where log lines go: one handler on the root logger, whatever number of services there is."""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from buttress.engine.flaskcompat import cv_app
from buttress.log.bound import adopt_structlog, release_structlog
from buttress.web import current_request_id

if TYPE_CHECKING:
    from buttress.log.extension import Log


class StdoutHandler(logging.Handler):
    """Write lines to whatever standard output is at that moment, or standard error."""

    #: Whether standard output belongs to a command.
    aside = False
    #: The service that a record outside any context is counted to.
    service = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, with the id of the request that it belongs to."""
        try:
            self._place(record)
            self._write(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001 -- logging's own way out: reported on standard error
            self.handleError(record)

    def put(self, line: str) -> None:
        """Write one finished line."""
        self.acquire()
        try:
            self._write(f"{line}\n")
        finally:
            self.release()

    def _write(self, text: str) -> None:
        stream = sys.stderr if self.aside else sys.stdout
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()

    def _place(self, record: logging.LogRecord) -> None:
        """Note the request and the service that a record belongs to, where it does not say so."""
        known = record.__dict__
        if "rid" not in known:
            known["rid"] = current_request_id()
        if "service" not in known:
            context = cv_app.get(None)
            known["service"] = self.service if context is None else context.app.name


class Output:
    """The log of one process. It looks as the service wants that was opened last."""

    def __init__(self) -> None:
        self.handler = StdoutHandler()
        self._lock = threading.Lock()
        self._open: list[weakref.ref[Log]] = []
        self._found: dict[str, int] = {}
        self._adopted = False

    def open(self, log: Log) -> None:
        """Let a service write."""
        with self._lock:
            self._open.append(weakref.ref(log))
            self._fit()

    def adopt(self) -> None:
        """Take in structlog's loggers that the application has made itself."""
        with self._lock:
            self._adopted = adopt_structlog() or self._adopted

    def close(self, log: Log) -> None:
        """Let a service go; the last one leaves the standard logging as it was found."""
        with self._lock:
            self._open = [each for each in self._open if each() not in (None, log)]
            self._fit()
            if not self._open and self._adopted:
                self._adopted = False
                release_structlog()

    def _fit(self) -> None:
        self._restore()
        logs = [log for each in self._open if (log := each()) is not None]
        for log in logs:
            self._set_levels(log.levels.items())
        root = logging.getLogger()
        if logs:
            self._set_levels([("root", logs[-1].level)])
            self.handler.setFormatter(logs[-1].formatter)
            self.handler.service = logs[-1].name
            root.addHandler(self.handler)
        else:
            root.removeHandler(self.handler)

    def _set_levels(self, levels: Iterable[tuple[str, str]]) -> None:
        for name, level in levels:
            logger = logging.getLogger(name)
            self._found.setdefault(name, logger.level)
            logger.setLevel(level)

    def _restore(self) -> None:
        for name, level in self._found.items():
            logging.getLogger(name).setLevel(level)
        self._found.clear()


OUTPUT = Output()


@contextmanager
def aside() -> Iterator[None]:
    """Write lines to standard error for a while, because standard output is a command's."""
    before, OUTPUT.handler.aside = OUTPUT.handler.aside, True
    try:
        yield
    finally:
        OUTPUT.handler.aside = before
