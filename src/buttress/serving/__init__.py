"""Serving: one interface and four servers, of which ``SERVER`` chooses one.

granian, gunicorn and bjoern run under one supervisor and drain alike; the development server
reloads. `Server` is what each of them offers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from buttress.errors import ServerError
from buttress.serving.background import work
from buttress.serving.server import SERVERS, Server, server_named
from buttress.serving.settings import ServingSettings
from buttress.serving.worker import leave_process

if TYPE_CHECKING:
    from buttress.service import Service

__all__ = [
    "SERVERS",
    "Server",
    "ServingSettings",
    "leave_process",
    "serve",
    "serve_development",
    "server_named",
    "server_of",
    "work",
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
        logger.warning("%s is set, and %s has no use for it", field.upper(), _name_for(app))
    return server.serve(app)


def serve_development(load: Callable[[], Service]) -> int:
    """Serve what ``load`` gives by the development server, and load it again when files change.

    An application that fails to load is logged with its traceback and watched until it is
    mended. Raises `SetupError` for a mistake that is in no module, such as a port in use.
    """
    # By name, since what it needs is imported only where it serves.
    return int(import_module("buttress.serving.development").serve_development(load))


def server_of(app: Service) -> Server:
    """Make the server that the settings of a booted service choose, and start nothing.

    Raises `ServerError` where it is not installed or does not fit the mode.
    """
    name = _name_for(app)
    if app.mode != "development" and name == "development":
        raise ServerError(f"SERVER is 'development' and MODE '{app.mode}': choose another server.")
    return server_named(name)


def _name_for(app: Service) -> str:
    """Name the server that serves, which in development is not the one that SERVER chooses."""
    return "development" if app.mode == "development" else app.settings.serving.server


def _unused(settings: ServingSettings, server: Server) -> list[str]:
    """Give the fields that are set and that the server cannot honour."""
    default = ServingSettings()
    fields = sorted(server.ignores)
    return [it for it in fields if getattr(settings, it) != getattr(default, it)]
