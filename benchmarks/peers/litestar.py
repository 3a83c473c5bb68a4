"""Litestar as documented: JSON by msgspec; without the OpenAPI pages, which no request asks for."""

from __future__ import annotations

from litestar import Litestar, get
from litestar.params import FromPath


@get("/items/{number:int}")
async def item(number: FromPath[int]) -> dict[str, int | str]:
    """Give an item."""
    return {"id": number, "name": "item"}


app = Litestar([item], openapi_config=None)
