"""Starlette with the orjson response of its documentation ("Custom JSON serialization")."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class OrjsonResponse(JSONResponse):
    """JSON by orjson."""

    def render(self, content: Any) -> bytes:
        """Give the body."""
        return orjson.dumps(content)


async def item(request: Request) -> OrjsonResponse:
    """Give an item."""
    return OrjsonResponse({"id": request.path_params["number"], "name": "item"})


app = Starlette(routes=[Route("/items/{number:int}", item)])
