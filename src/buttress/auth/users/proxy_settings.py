"""Settings of the users that another service knows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from buttress.config import Section


class ProxySettings(Section):
    """Say how another service is asked who somebody is; its address is `AUTH_USERS`."""

    remember: Annotated[
        float,
        Meta(
            description="Seconds for which a password that was right is not asked for again; 0 "
            "asks each time.",
            ge=0,
            le=3600,
        ),
    ] = 60.0
    timeout: Annotated[
        float, Meta(description="Seconds that the service may be silent.", gt=0, le=60)
    ] = 5.0
    ca_file: Annotated[
        Path | None,
        Meta(
            description="File with the certificates of the authorities that the service is trusted "
            "by (PEM), instead of the public ones."
        ),
    ] = None

    def problems(self) -> Iterable[str]:
        """Name a file that there is not."""
        if self.ca_file is not None and not self.ca_file.is_file():
            yield f"AUTH_PROXY_CA_FILE: there is no file {self.ca_file}."
