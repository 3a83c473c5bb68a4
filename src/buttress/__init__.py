"""Buttress: a package of Flask handlers becomes a service that is ready for production."""

from buttress.boot import create_app
from buttress.config import Config, Key, Secret, Section
from buttress.declare import consumer, cron, every, pulse_consumer
from buttress.errors import (
    ButtressError,
    Code,
    ConfigError,
    ExtensionError,
    LifecycleError,
    Problem,
    SetupError,
    Unavailable,
    Unhealthy,
)
from buttress.extension import EXTENSIONS, Extension
from buttress.lifecycle import Deadline
from buttress.service import Service

__all__ = [
    # the service
    "Service",
    "create_app",
    # configuration
    "Config",
    "Key",
    "Secret",
    "Section",
    # extensions
    "EXTENSIONS",
    "Deadline",
    "Extension",
    # marks for discovery
    "consumer",
    "cron",
    "every",
    "pulse_consumer",
    # errors
    "ButtressError",
    "Code",
    "ConfigError",
    "ExtensionError",
    "LifecycleError",
    "Problem",
    "SetupError",
    "Unavailable",
    "Unhealthy",
]
