"""Health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..extension import Extension
from .settings import HealthSettings

if TYPE_CHECKING:
    from ..service import Service


class Health:
    """The health."""


class HealthExtension(Extension[HealthSettings, Health]):
    """Build it."""

    name = "health"
    settings = HealthSettings

    def build(self, app: Service, settings: HealthSettings) -> Health:
        """Make it."""
        return Health()
