"""The types of the cache, as a type checker sees them."""

from __future__ import annotations

from typing import assert_type

from buttress import Service
from buttress.cache import Cache


def check_cache(app: Service) -> None:
    """Pin what `once` gives: the type of what computes it."""
    assert_type(app.cache, Cache)
    assert_type(app.cache.once("lifts", 5, list[int]), list[int])
    assert_type(app.cache.once("none", 5, lambda: None), None)
