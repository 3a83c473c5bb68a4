"""An application for the time of a test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from buttress.config import COMMAND_LINE
from buttress.service import Service


@contextmanager
def make_app(source: Service | Callable[[], Service], **settings: object) -> Iterator[Service]:
    """Boot an application in mode testing, and close it afterwards.

    ``source`` is a factory, or an application that has not booted yet: such a one lives once, so
    give its fixture the scope ``session``. ``settings`` are keys such as ``PORT=0``, above every
    other source; ``SECRET_KEY`` is made up.
    """
    given = {"MODE": "testing", "SECRET_KEY": secrets.token_urlsafe(32), **settings}
    token = COMMAND_LINE.set(given)
    try:
        app = source if isinstance(source, Service) else source()
        app.boot()
    finally:
        COMMAND_LINE.reset(token)
    try:
        yield app
    finally:
        app.close()
