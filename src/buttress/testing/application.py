"""An application for the time of a test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from buttress.config import COMMAND_LINE
from buttress.errors import LifecycleError
from buttress.lifecycle import State
from buttress.service import Service


@contextmanager
def make_app(source: Service | Callable[[], Service], **settings: object) -> Iterator[Service]:
    """Boot an application in mode testing, and close it afterwards.

    ``source`` is a factory, or an application that has not booted yet: such a one lives once, so
    give its fixture the scope ``session``. ``settings`` are keys such as ``PORT=0``, above every
    other source; ``SECRET_KEY`` is made up. Raises `LifecycleError` for an application that
    has booted, since its settings are read already.
    """
    given = {"MODE": "testing", "SECRET_KEY": secrets.token_urlsafe(32), **settings}
    app = _booted(source, given)
    try:
        yield app
    finally:
        app.close()


def _booted(source: Service | Callable[[], Service], given: dict[str, object]) -> Service:
    token = COMMAND_LINE.set(given)
    try:
        app = _open(source) if isinstance(source, Service) else source()
        app.boot()
    finally:
        COMMAND_LINE.reset(token)
    return app


def _open(app: Service) -> Service:
    if app.lifecycle.state is not State.OPEN:
        raise LifecycleError(
            f"{app.name} is {app.lifecycle.state}: give make_app the function that makes it."
        )
    return app
