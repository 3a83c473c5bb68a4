"""The log: structlog over the standard logging, one handler for the process.

Other extensions log by ``logging.getLogger("buttress.<area>")`` and need nothing of this folder.
"""

from __future__ import annotations

from buttress.log.extension import Log, LogExtension
from buttress.log.settings import LogSettings

__all__ = [
    # the extension
    "Log",
    "LogExtension",
    "LogSettings",
]
