"""Settings of the health routes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from buttress.config import Section


class HealthSettings(Section):
    """Say where the health routes are, and how long a check may take."""

    prefix: Annotated[
        str, Meta(description="Path before every health route, such as `/internal`.")
    ] = ""
    timeout: Annotated[
        float,
        Meta(description="Seconds that the checks of one heartbeat may take.", gt=0, le=3600),
    ] = 5.0
    version_file: Annotated[
        str | None,
        Meta(
            description="File that `/__version__` shows, relative to the application's package; "
            "by default `version.json` there, beside it, or in the instance folder."
        ),
    ] = None

    def problems(self) -> Iterable[str]:
        """Name a prefix that is no path."""
        if self.prefix and (not self.prefix.startswith("/") or self.prefix.endswith("/")):
            yield f"HEALTH_PREFIX={self.prefix!r}: write it as '/internal', without a last slash."
