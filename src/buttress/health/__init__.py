"""Health: heartbeat, version, liveness, readiness and start-up."""

from __future__ import annotations

from buttress.health.extension import Health, HealthExtension
from buttress.health.settings import HealthSettings

__all__ = [
    # the extension
    "Health",
    "HealthExtension",
    "HealthSettings",
]
