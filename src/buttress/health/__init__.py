"""Health: heartbeat, version, liveness, readiness and start-up."""

from __future__ import annotations

from .extension import Health, HealthExtension
from .settings import HealthSettings

__all__ = [
    # the extension
    "Health",
    "HealthExtension",
    "HealthSettings",
]
