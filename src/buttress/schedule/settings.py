"""Settings of the extension ``schedule``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from buttress.config import Section
from buttress.schedule.trigger import zone_of


class ScheduleSettings(Section):
    """Say where scheduled jobs run, and what becomes of late ones."""

    run: Annotated[
        bool | None,
        Meta(
            description="Whether this process may run scheduled jobs; by default wherever Buttress "
            "serves, and not in a container of another kind."
        ),
    ] = None
    timezone: Annotated[
        str,
        Meta(description="Time zone of cron expressions, such as `Europe/Paris`."),
    ] = "UTC"
    lease: Annotated[
        float,
        Meta(
            description="Seconds after which another process takes over from one that was killed; "
            "renewed at a third.",
            ge=0.3,
            le=3600,
        ),
    ] = 10.0
    threads: Annotated[
        int, Meta(description="How many jobs a process runs at once.", ge=1, le=1000)
    ] = 4
    catch_up: Annotated[
        int,
        Meta(
            description='Most ticks that a job with `misfire="all"` makes up; older ones are left '
            "out.",
            ge=1,
            le=100_000,
        ),
    ] = 100
    grace: Annotated[
        float,
        Meta(
            description='Seconds by which a tick of a job with `misfire="skip"` may be late, '
            "unless the job says otherwise.",
            gt=0,
            le=86400,
        ),
    ] = 10.0

    def problems(self) -> Iterable[str]:
        """Name a time zone that is not known."""
        try:
            zone_of(self.timezone)
        except ValueError as error:
            yield f"SCHEDULE_TIMEZONE: {error}."
