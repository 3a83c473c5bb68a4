"""Settings of the extension ``limiter``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from buttress.config import Key, Secret, Section

MEMORY = "memory://"
REDIS = ("redis", "rediss", "unix")


class LimiterSettings(Section):
    """Say where requests are counted, and what holds for routes without a limit of their own."""

    url: Annotated[
        Secret,
        Key(aliases=("RATELIMIT_STORAGE_URI",), min_length=0),
        Meta(
            description="Where requests are counted: `memory://`, in each process by itself, or "
            "`redis://`, `rediss://` or `unix://` (Redis), for all together."
        ),
    ] = Secret(MEMORY)
    default: Annotated[
        str,
        Key(aliases=("RATELIMIT_DEFAULT",)),
        Meta(
            description="Limits of every route that has none of its own, such as "
            "`200/hour; 20/minute`, for each route and client. Empty: none."
        ),
    ] = ""
    strategy: Annotated[
        Literal["fixed-window", "sliding-window-counter", "moving-window"],
        Key(aliases=("RATELIMIT_STRATEGY",)),
        Meta(description="How requests are counted, in Flask-Limiter's words."),
    ] = "fixed-window"
    headers: Annotated[
        bool,
        Key(aliases=("RATELIMIT_HEADERS_ENABLED",)),
        Meta(description="Say in `X-RateLimit-*` headers what is left to a client."),
    ] = False
    enabled: Annotated[
        bool,
        Key(aliases=("RATELIMIT_ENABLED",)),
        Meta(description="Whether requests are counted at all."),
    ] = True

    def problems(self) -> Iterable[str]:
        """Name a place that is none, and limits that cannot be read."""
        try:
            url = self.url.reveal()
            scheme, slashes, _ = url.partition("://")
            known = url == MEMORY or bool(slashes and scheme in REDIS)
            urlsplit(url).port  # noqa: B018 -- raises where it is none
        except ValueError:
            known = False
        if not known:
            yield (
                "LIMITER_URL is no place to count in: write memory://, redis://host:6379/0, "
                "rediss://… or unix:///path (what is there is not shown)."
            )
        if self.default and (problem := problem_of(self.default)):
            yield f"LIMITER_DEFAULT: {problem}"

    @property
    def shown(self) -> str:
        """Give the place without name and password."""
        parts = urlsplit(self.url.reveal())
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@lru_cache(maxsize=256)
def problem_of(limits: str) -> str | None:
    """Say what is wrong with limits; ``None`` where nothing is."""
    # Needed by few, and slow to import.
    from limits.util import SEPARATORS, parse

    for text in SEPARATORS.split(limits):
        try:
            parse(text.strip())
        except ValueError:
            return f"{text.strip()!r} is no limit: write '5/minute', '100 per 2 hours' or the like."
    return None
