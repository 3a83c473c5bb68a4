"""The limit: the route as a WSGI callable of its own, with nothing between it and the server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer every path as ``/items/<number>``."""
    number = int(environ["PATH_INFO"].rpartition("/")[2])
    body = orjson.dumps({"id": number, "name": "item"})
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]
