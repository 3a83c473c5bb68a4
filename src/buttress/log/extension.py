"""Log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..extension import Extension
from .settings import LogSettings

if TYPE_CHECKING:
    from ..service import Service


class Log:
    """The log."""


class LogExtension(Extension[LogSettings, Log]):
    """Build it."""

    name = "log"
    settings = LogSettings

    def build(self, app: Service, settings: LogSettings) -> Log:
        """Make it."""
        return Log()
