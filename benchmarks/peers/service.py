"""Buttress: `bare` without any extension, `full` as it goes to production."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from buttress import Service, create_app

#: The page that may read the answers of the full service.
ORIGIN = "https://shop.example"


def item(number: int) -> dict[str, object]:
    """Give an item."""
    return {"id": number, "name": "item"}


def make(extensions: Sequence[str] | None, **config: Any) -> Service:
    """Make a service with the one route; ``extensions=None`` means the default set."""
    config = {"MODE": "production", "SECRET_KEY": secrets.token_hex(32), **config}
    app = create_app(
        "benchmarks.peers",
        config=config,
        extensions=extensions,
        blueprint_modules=[],
        env_prefix="BENCH",
    )
    app.get("/items/<int:number>")(item)
    return app


def bare() -> Service:
    """Make the service that is compared with bare frameworks."""
    return make([])


def full() -> Service:
    """Make a service with request ids, access log, security headers, CORS, health, problems."""
    return make(None, CORS_ORIGINS=[ORIGIN])
