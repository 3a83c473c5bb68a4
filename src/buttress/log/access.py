"""The access log: one record for each request, by the logger ``request.summary``."""

from __future__ import annotations

import logging
import os
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from buttress.log.direct import sole_formatter
from buttress.log.mozlog import MozlogFormatter, line
from buttress.log.output import OUTPUT
from buttress.web import PROBE, request_id_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("request.summary")

_MESSAGE = "%s %s %s %s ms %s"


class AccessLog:
    """Write what became of each request of one service; probes only when asked for."""

    def __init__(self, service: str, level: int, probes: bool) -> None:
        self._service = service
        self._level = level
        self._probes = probes

    def __call__(
        self, environ: WSGIEnvironment, route: str | None, status: int, seconds: float, failed: bool
    ) -> None:
        """Write one record; ``failed`` says that the answer broke off after it had begun."""
        if not self._wanted() or (PROBE in environ and not self._probes):
            return
        method, path = environ["REQUEST_METHOD"], _path(environ)
        remote, taken = environ.get("REMOTE_ADDR", "-"), round(seconds * 1000, 2)
        columns = (method, _word(path), status, taken, _word(remote))
        fields = {
            "msg": _MESSAGE % columns,
            "errno": status if status >= 500 else 500 if failed else 0,
            "method": method,
            "path": path,
            "route": route,
            "status": status,
            "t": taken,
            "remote": remote,
            "agent": environ.get("HTTP_USER_AGENT"),
            "lang": environ.get("HTTP_ACCEPT_LANGUAGE"),
            "rid": request_id_of(environ),
        }
        formatter = sole_formatter(logger)
        if formatter is None:
            logger.handle(self._record(fields, columns))
        else:
            self._put(formatter, fields, columns)

    def _put(
        self, formatter: MozlogFormatter, fields: dict[str, Any], columns: tuple[object, ...]
    ) -> None:
        """Write the line that the record would give, without making one."""
        try:
            OUTPUT.handler.put(line(time.time(), _head(formatter, self._service), fields))
        except Exception:  # noqa: BLE001 -- logging's own way out: reported on standard error
            OUTPUT.handler.handleError(self._record(fields, columns))

    def _record(self, fields: dict[str, Any], columns: tuple[object, ...]) -> logging.LogRecord:
        record = logger.makeRecord(logger.name, logging.INFO, __file__, 0, _MESSAGE, columns, None)
        record.__dict__.update(fields, msg=_MESSAGE, service=self._service)
        return record

    def _wanted(self) -> bool:
        """Ask this service's own level, which another's in the process does not change.

        A level that the application has set on the logger itself comes first.
        """
        least = logger.level or self._level
        return least <= logging.INFO and logger.manager.disable < logging.INFO


@lru_cache(maxsize=16)
def _head(formatter: MozlogFormatter, service: str) -> str:
    return formatter.head(logger.name, service, logging.INFO, os.getpid())


os.register_at_fork(after_in_child=_head.cache_clear)


def _path(environ: WSGIEnvironment) -> str:
    """Give the path as text; WSGI has its bytes as Latin-1 (PEP 3333)."""
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def _word(text: str) -> str:
    """Make one word of a text; a space in it would forge the columns that follow."""
    return text.replace(" ", "%20")
