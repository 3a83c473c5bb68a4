"""Sections that the tests of the configuration declare."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta

from buttress.config import Key, Secret, Section, SectionSpec

GOOD = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab91"
OTHER = "45c48cce2e2d7fbdea1afc51c7c6ad26d3d9446802a44259"


class CacheSettings(Section):
    """A section with a field of every kind."""

    url: Annotated[str, Meta(description="Where."), Key(aliases=("REDIS_URL",))] = "memory://"
    ttl: Annotated[int, Meta(ge=1, le=3600)] = 300
    ratio: float = 0.5
    enabled: bool = True
    wait: timedelta = timedelta(seconds=1)
    servers: tuple[str, ...] = ()
    limits: dict[str, int] | None = None
    eviction: Literal["lru", "lfu"] = "lru"
    size: int | None = None
    style: Annotated[str, Key(name="EVICTION_STYLE")] = "plain"
    password: Annotated[Secret | None, Key(min_length=0)] = None

    def problems(self) -> Iterable[str]:
        """Refuse a combination of fields."""
        if self.eviction == "lfu" and self.ttl > 600:
            yield "CACHE_EVICTION=lfu needs a CACHE_TTL of at most 600"


class PortSettings(Section):
    """A section without a prefix."""

    port: Annotated[int, Meta(ge=0, le=65535)] = 8000


class LogSettings(Section):
    """A section with the level that has rules of its own."""

    level: str = "INFO"


SPECS = (
    SectionSpec("cache", CacheSettings),
    SectionSpec("serving", PortSettings, prefix=""),
    SectionSpec("log", LogSettings),
)
