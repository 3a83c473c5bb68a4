"""A process without HTTP: consumers and schedules alone."""

from __future__ import annotations

import logging
import select
from typing import TYPE_CHECKING

from buttress.errors import SetupError
from buttress.lifecycle import Deadline
from buttress.serving.signals import STOP_SIGNALS, Signals
from buttress.serving.worker import DONE, FAILED, NOT_STARTED

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.serving")


def work(app: Service) -> int:
    """Start a booted service, wait for SIGTERM or SIGINT, drain and close it; give the exit code.

    There is no grace: nobody sends requests here.
    """
    with Signals(*STOP_SIGNALS) as signals:
        try:
            app.start()
        except SetupError as error:
            logger.error("%s does not start: %s", app.name, error)
            return NOT_STARTED
        except Exception:
            logger.exception("%s does not start", app.name)
            return NOT_STARTED
        app.announce()
        select.select([signals], [], [])
        logger.info("%s drains", app.name)
        failures = app.lifecycle.drain(Deadline(app.settings.serving.drain_timeout))
        return FAILED if not _closed(app) or failures else DONE


def _closed(app: Service) -> bool:
    try:
        app.close()
    except ExceptionGroup:  # each failure was logged where it happened
        return False
    return True
