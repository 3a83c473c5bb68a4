"""The access log: one record for each request, by the logger ``request.summary``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from buttress.web import PROBE, request_id_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("request.summary")


class AccessLog:
    """Write what became of each request of one service; probes only when asked for."""

    def __init__(self, service: str, level: int, probes: bool) -> None:
        self._service = service
        self._level = level
        self._probes = probes

    def __call__(self, environ: WSGIEnvironment, status: str, seconds: float) -> None:
        """Write one record; ``t`` is in milliseconds."""
        if not self._wanted() or (PROBE in environ and not self._probes):
            return
        code = int(status[:3])
        rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
        values = {
            "service": self._service,
            "rid": request_id_of(environ),
            "errno": code if code >= 500 else 0,
            "method": environ["REQUEST_METHOD"],
            "path": _path(environ),
            "route": rule.rule if rule is not None else None,
            "status": code,
            "t": round(seconds * 1000, 2),
            "remote": environ.get("REMOTE_ADDR", "-"),
            "agent": environ.get("HTTP_USER_AGENT"),
            "lang": environ.get("HTTP_ACCEPT_LANGUAGE"),
        }
        told = (values["method"], _word(values["path"]), code, values["t"], _word(values["remote"]))
        record = logger.makeRecord(
            logger.name, logging.INFO, __file__, 0, "%s %s %s %s ms %s", told, None
        )
        record.__dict__.update(values)
        logger.handle(record)

    def _wanted(self) -> bool:
        """Ask this service's own level, which another's in the process does not change.

        A level that the application has set on the logger itself comes first.
        """
        least = logger.level or self._level
        return least <= logging.INFO and logger.manager.disable < logging.INFO


def _path(environ: WSGIEnvironment) -> str:
    """Give the path as text; WSGI has its bytes as Latin-1 (PEP 3333)."""
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def _word(text: str) -> str:
    """Make one word of a text; a space in it would forge the columns that follow."""
    return text.replace(" ", "%20")
