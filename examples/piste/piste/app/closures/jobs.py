"""What runs again and again, once in the cluster."""

from __future__ import annotations

from buttress import every
from piste.app.closures import services
from piste.app.main import app


@every(seconds=app.config["STALE_CHECK_SECONDS"])
def close_stale() -> None:
    """Close the pistes of which nobody has reported for long."""
    services.close_stale()
