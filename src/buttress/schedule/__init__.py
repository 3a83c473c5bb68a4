"""The schedule: jobs that run at their times, once in the whole cluster.

Other extensions use what is named here and nothing else of this folder.
"""

from __future__ import annotations

from buttress.schedule.extension import Schedule, ScheduleExtension
from buttress.schedule.job import Job, Tick
from buttress.schedule.settings import ScheduleSettings

__all__ = [
    # the extension
    "Schedule",
    "ScheduleExtension",
    "ScheduleSettings",
    # what runs
    "Job",
    "Tick",
]
