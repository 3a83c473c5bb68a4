"""Every case, with the applications that are compared in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from flask import Flask

from benchmarks.cases import falcon, flask
from benchmarks.cases.case import Case
from benchmarks.cases.outcome import FALCON, FLASK, FULL, RAW, SERVICE
from benchmarks.cases.request import Request
from benchmarks.peers import raw, service
from buttress import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ITEM, ITEM_BODY = "/items/42", b'{"id":42,"name":"item"}'
ORDER = orjson.dumps({"lines": [{"sku": f"sku-{n:04}", "amount": n * 10} for n in range(30)]})
JSON = ("CONTENT_TYPE", "application/json")

Setup = Callable[[Flask], None]


def every_case() -> list[Case]:
    """Make every application of every case."""
    item, text = Request(ITEM), Request("/text")
    order = Request("/orders", "POST", ORDER, (JSON, ("CONTENT_LENGTH", str(len(ORDER)))))
    origin = Request(ITEM, headers=(("HTTP_ORIGIN", service.ORIGIN),))
    plain = pair(flask.items)
    every: dict[str, WSGIApplication] = {RAW: raw.app, FALCON: falcon.items(), **plain}
    missing: dict[str, WSGIApplication] = {FALCON: falcon.items(), **plain}
    full: dict[str, WSGIApplication] = {FLASK: plain[FLASK], FULL: service.full()}
    return [
        Case("dict", item, 200, ITEM_BODY, every),
        Case("jsonify", item, 200, ITEM_BODY, pair(flask.jsonified)),
        Case("str", text, 200, b"Hello, world", pair(flask.text, falcon.text)),
        Case("404", Request("/nothing"), 404, None, missing),
        Case("100-routes", item, 200, ITEM_BODY, pair(flask.hundred, falcon.hundred)),
        Case("post", order, 200, b'{"lines":30}', pair(flask.posted, falcon.posted)),
        Case("hooks", item, 200, ITEM_BODY, pair(flask.hooked, falcon.hooked)),
        session(),
        Case("full", origin, 200, ITEM_BODY, full),
    ]


def pair(
    setup: Setup, peer: Callable[[], WSGIApplication] | None = None
) -> dict[str, WSGIApplication]:
    """Make the same application of Flask and of Service, and of Falcon where it has one."""
    others = {FALCON: peer()} if peer else {}
    return {
        **others,
        FLASK: prepared(Flask(__name__), setup),
        SERVICE: prepared(Service(__name__), setup),
    }


def prepared(app: Flask, setup: Setup) -> Flask:
    """Set an application up, with a key for its sessions."""
    app.secret_key = "measured"  # noqa: S105  # protects nothing
    setup(app)
    return app


def session() -> Case:
    """Make the case whose request carries a signed session."""
    subjects = pair(flask.remembered)
    with prepared(Flask(__name__), flask.remembered).test_client() as client:
        with client.session_transaction() as opened:
            opened["user"] = "ada"
        cookies = client.get("/me").request.environ["HTTP_COOKIE"]
    request = Request("/me", headers=(("HTTP_COOKIE", cookies),))
    return Case("session", request, 200, b'{"user":"ada"}', subjects)
