"""The extension ``limiter``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from limits.errors import ConfigurationError

from buttress.errors import ConfigError, ExtensionError, Unhealthy
from buttress.extension import Extension
from buttress.limiter.limiter import Limiter, client
from buttress.limiter.settings import MEMORY, LimiterSettings, problem_of

if TYPE_CHECKING:
    from buttress.service import Service

logger = logging.getLogger("buttress.limiter")

#: Flask-Limiter's own keys that hold limits.
LIMITS = ("RATELIMIT_APPLICATION", "RATELIMIT_META")


class LimiterExtension(Extension[LimiterSettings, Limiter]):
    """Refuse clients that ask too often."""

    name = "limiter"
    settings = LimiterSettings
    reserves = ("RATELIMIT_",)

    def build(self, app: Service, settings: LimiterSettings) -> Limiter:
        """Make a limiter with counts of its own.

        Raises `ExtensionError` for a package that is missing and for options that do not fit, and
        `ConfigError` for limits that cannot be read.
        """
        given = ((key, app.config.get(key)) for key in LIMITS)
        problems = [f"{key}: {it}" for key, said in given if said and (it := problem_of(said))]
        if problems:
            raise ConfigError(problems)
        limiter = Limiter(
            client,
            default_limits=[settings.default] if settings.default else None,
            strategy=settings.strategy,
            headers_enabled=settings.headers,
            enabled=settings.enabled,
            **_storage(app, settings),
        )
        try:
            limiter.init_app(app)
        except (ConfigurationError, OSError, TypeError, ValueError) as error:
            said = f"The limiter at {settings.shown} cannot be made: {error}"
            raise ExtensionError("limiter", said) from error
        return limiter

    def check(self, it: Limiter) -> Mapping[str, Any]:
        """Ask the server, where there is one; without it, requests are counted in memory."""
        if not it.enabled:
            return {"enabled": False}
        if not it.storage.check():
            raise Unhealthy("The server does not answer; each process counts by itself.")
        return {}

    def close(self, it: Limiter) -> None:
        """Drop the connections."""
        close = getattr(it.storage, "close", None) if it.enabled else None
        if close is not None:
            close()


def _storage(app: Service, settings: LimiterSettings) -> dict[str, Any]:
    """Say in Flask-Limiter's words where to count."""
    url = settings.url.reveal()
    if url == MEMORY:
        import_module("buttress.limiter.memory")
        workers = app.settings.serving.workers
        if settings.enabled and workers > 1:
            logger.warning(
                "%s: each of %d workers counts by itself, so %d times as much is let through: set "
                "LIMITER_URL to a Redis server",
                *(app.name, workers, workers),
            )
        return {"storage_uri": "buttress+memory://"}
    try:
        import_module("buttress.limiter.redis")
    except ModuleNotFoundError as error:
        raise ExtensionError(
            "limiter",
            f"The limiter at {settings.shown} needs the package '{error.name}': "
            "pip install 'buttress[redis]'.",
        ) from error
    options = {"url": url, "shown": settings.shown, "key_prefix": f"{app.name}:limiter"}
    return {"storage_uri": "buttress+redis://", "storage_options": options}
