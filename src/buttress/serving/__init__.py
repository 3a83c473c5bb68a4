"""Serving: one interface and four servers, of which ``SERVER`` chooses one.

granian, gunicorn and bjoern run under one supervisor and drain alike; the development server
reloads. `Server` is what each of them offers.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from buttress.errors import ServerError
from buttress.serving.development import serve_development
from buttress.serving.server import SERVERS, Server, server_named
from buttress.serving.settings import ServingSettings

if TYPE_CHECKING:
    from buttress.service import Service

__all__ = [
    "SERVERS",
    "Server",
    "ServingSettings",
    "serve",
    "serve_development",
    "server_named",
    "server_of",
]

logger = logging.getLogger("buttress.serving")


def serve(app: Service) -> int:
    """Serve a service until SIGTERM or SIGINT, drain it, and give the exit code.

    In development always by the development server. Raises `ServerError` for a server that is
    unknown or not installed, and for an address that cannot be had.
    """
    app.boot()
    server = server_of(app)
    for field in _unused(app.settings.serving, server):
        logger.warning("%s is set, and %s has no use for it", field.upper(), type(server).__name__)
    return server.serve(app)


def server_of(app: Service) -> Server:
    """Make the server that the settings of a booted service choose, and start nothing.

    Raises `ServerError` where it is not installed or does not fit the mode.
    """
    chosen = app.settings.serving.server
    if app.mode != "development" and chosen == "development":
        raise ServerError(f"SERVER is 'development' and MODE '{app.mode}': choose another server.")
    return server_named("development" if app.mode == "development" else chosen)


def _unused(settings: ServingSettings, server: Server) -> list[str]:
    """Give the fields that are set and that the server cannot honour."""
    default = ServingSettings()
    fields = sorted(server.ignores)
    return [it for it in fields if getattr(settings, it) != getattr(default, it)]
