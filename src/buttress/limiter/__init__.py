"""The limiter: how often a client may ask, by Flask-Limiter over memory or Redis."""

from __future__ import annotations

from buttress.limiter.extension import LimiterExtension
from buttress.limiter.limiter import Limiter, client
from buttress.limiter.settings import LimiterSettings

__all__ = ["Limiter", "LimiterExtension", "LimiterSettings", "client"]
