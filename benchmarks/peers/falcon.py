"""Falcon with orjson for its JSON media, as its documentation advises ("Custom JSON library")."""

from __future__ import annotations

import falcon
import orjson
from falcon.media import JSONHandler


class Item:
    """The resource with the one route."""

    def on_get(self, request: falcon.Request, response: falcon.Response, number: int) -> None:
        """Give an item."""
        response.media = {"id": number, "name": "item"}


def make() -> falcon.App[falcon.Request, falcon.Response]:
    """Make an application without routes."""
    app = falcon.App()
    handler = JSONHandler(dumps=orjson.dumps, loads=orjson.loads)
    app.req_options.media_handlers[falcon.MEDIA_JSON] = handler
    app.resp_options.media_handlers[falcon.MEDIA_JSON] = handler
    return app


app = make()
app.add_route("/items/{number:int}", Item())
