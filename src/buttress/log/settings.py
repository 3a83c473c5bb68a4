"""Settings of the log."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, field

from buttress.config import Section

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

_SAMPLE = logging.makeLogRecord({"rid": "", "service": ""})


class LogSettings(Section):
    """Say what is logged, and how it looks."""

    level: Annotated[Level, Meta(description="Records below this level are dropped.")] = "INFO"
    levels: Annotated[
        dict[str, Level],
        Meta(description='Levels of single loggers, such as `{"urllib3": "WARNING"}`.'),
    ] = field(default_factory=dict)
    style: Annotated[
        Literal["json", "console", "text"] | None,
        Meta(
            description="`json` (mozlog 2.0, one object a line), `console` (for people), or `text` "
            "(by LOG_FORMAT). By default `json` in production and `console` elsewhere."
        ),
    ] = None
    format: Annotated[
        str, Meta(description="Format of the style `text`, with `%` as in Python's logging.")
    ] = "%(asctime)s %(levelname)-8s %(name)s:%(lineno)d   %(message)s"
    format_msec: Annotated[
        str, Meta(description="How `asctime` joins the time and its milliseconds, with `%`.")
    ] = "%s.%03d"
    requests: Annotated[bool, Meta(description="Write one record for each request.")] = True
    probes: Annotated[bool, Meta(description="Write records for health probes too.")] = False

    def problems(self) -> Iterable[str]:
        """Name the formats that Python's logging cannot use."""
        try:
            logging.Formatter(self.format).format(_SAMPLE)
        except (TypeError, ValueError) as error:
            yield f"LOG_FORMAT={self.format!r} is no format of Python's logging: {error}."
        try:
            self.format_msec % ("", 0)
        except (TypeError, ValueError) as error:
            yield f"LOG_FORMAT_MSEC={self.format_msec!r} takes no text and number: {error}."
