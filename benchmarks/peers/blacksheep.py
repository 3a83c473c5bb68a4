"""BlackSheep with orjson, as its documentation shows ("Configure JSON settings")."""

from __future__ import annotations

from typing import Any

import orjson
from blacksheep import Application, Response, get, json
from blacksheep.settings.json import json_settings


def dumps(value: Any) -> str:
    """Serialize; the setting wants text."""
    return orjson.dumps(value).decode()


json_settings.use(loads=orjson.loads, dumps=dumps)  # type: ignore[no-untyped-call]  # theirs
app = Application()


@get("/items/{number}")
async def item(number: int) -> Response:
    """Give an item."""
    return json({"id": number, "name": "item"})
