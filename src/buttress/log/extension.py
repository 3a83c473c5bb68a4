"""The extension ``log``: structlog over the standard logging."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask.logging import default_handler

from buttress.extension import Extension
from buttress.log.access import AccessLog
from buttress.log.access import logger as access_logger
from buttress.log.bound import bound_logger
from buttress.log.console import ConsoleFormatter
from buttress.log.mozlog import MozlogFormatter
from buttress.log.output import OUTPUT
from buttress.log.settings import LogSettings
from buttress.log.text import TextFormatter
from buttress.web import edge_of

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

    from buttress.service import Service


class Log:
    """What ``app.log`` is: a structlog logger with the name of the service.

    Events are words with ``key=value`` pairs: ``app.log.info("piste opened", piste=7)``.
    """

    def __init__(self, name: str, settings: LogSettings, mode: str) -> None:
        self.name = name
        self.level = settings.level
        #: The level of each logger that has one of its own, the service's included.
        self.levels: dict[str, str] = {name: settings.level, **settings.levels}
        #: The level of this service's access records; the one logger of all services has none.
        self.access_level = _level_of(access_logger.name, settings)
        self.levels.pop(access_logger.name, None)
        self.style = settings.style or ("json" if mode == "production" else "console")
        self.formatter = _formatter(self.style, settings)

    @cached_property
    def logger(self) -> BoundLogger:
        """Give the structlog logger, made when first asked for."""
        return bound_logger(self.name)

    def bind(self, **values: Any) -> BoundLogger:
        """Give a logger that has these pairs in every record."""
        return self.logger.bind(**values)

    def debug(self, event: str, *args: Any, **values: Any) -> None:
        """Write a record of level DEBUG; ``args`` fill the ``%`` places of the event."""
        self.logger.debug(event, *args, **values)

    def info(self, event: str, *args: Any, **values: Any) -> None:
        """Write a record of level INFO."""
        self.logger.info(event, *args, **values)

    def warning(self, event: str, *args: Any, **values: Any) -> None:
        """Write a record of level WARNING."""
        self.logger.warning(event, *args, **values)

    def error(self, event: str, *args: Any, **values: Any) -> None:
        """Write a record of level ERROR."""
        self.logger.error(event, *args, **values)

    def exception(self, event: str, *args: Any, **values: Any) -> None:
        """Write a record of level ERROR with the traceback of the exception being handled."""
        self.logger.exception(event, *args, **values)  # noqa: LOG004 -- called while handling one

    def critical(self, event: str, *args: Any, **values: Any) -> None:
        """Write a record of level CRITICAL."""
        self.logger.critical(event, *args, **values)


class LogExtension(Extension[LogSettings, Log]):
    """Write what happens to standard output, one record for each request included."""

    name = "log"
    settings = LogSettings

    def build(self, app: Service, settings: LogSettings) -> Log:
        """Make it, and let it write; Flask's own handler would write every line twice."""
        log = Log(app.name, settings, app.mode)
        OUTPUT.open(log)
        logging.getLogger(app.name).removeHandler(default_handler)
        if settings.requests:
            edge_of(app).observers.append(AccessLog(app.name, log.access_level, settings.probes))
        return log

    def start(self, it: Log) -> None:
        """Take in structlog's loggers that the application has made itself, and make our own.

        Making it imports structlog, for which no request should wait.
        """
        OUTPUT.adopt()
        _ = it.logger

    def close(self, it: Log) -> None:
        """Stop writing for this service."""
        OUTPUT.close(it)


def _level_of(name: str, settings: LogSettings) -> int:
    """Find the level of a logger: its own, else that of the nearest logger above it."""
    while name and name not in settings.levels:
        name = name.rpartition(".")[0]
    return logging.getLevelNamesMapping()[settings.levels.get(name, settings.level)]


def _formatter(style: str, settings: LogSettings) -> logging.Formatter:
    if style == "json":
        return MozlogFormatter()
    if style == "console":
        return ConsoleFormatter()
    return TextFormatter(settings.format, settings.format_msec)
