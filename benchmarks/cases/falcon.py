"""The cases as a user of Falcon writes them, where Falcon has an equivalent."""

from __future__ import annotations

import falcon

from benchmarks.peers.falcon import Item, make


class Text:
    """Answer with text."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Say hello."""
        response.content_type = falcon.MEDIA_TEXT
        response.text = "Hello, world"


class Orders:
    """Read the JSON of the body."""

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Count the lines of an order."""
        response.media = {"lines": len(request.get_media()["lines"])}


class Never:
    """Be there without being asked."""

    def on_get(self, request: falcon.Request, response: falcon.Response, **_: int) -> None:
        """Refuse to answer."""
        raise AssertionError("no request is for this view")


class Tenant:
    """Do what the hooks of the Flask case do."""

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        """Note the tenant."""
        request.context.tenant = "one"

    def process_response(
        self,
        request: falcon.Request,
        response: falcon.Response,
        resource: object,
        req_succeeded: bool,
    ) -> None:
        """Mark the answer."""
        response.set_header("X-Tenant", request.context.tenant)


def items() -> falcon.App[falcon.Request, falcon.Response]:
    """Answer with a dictionary that holds an integer of the path."""
    app = make()
    app.add_route("/items/{number:int}", Item())
    return app


def text() -> falcon.App[falcon.Request, falcon.Response]:
    """Answer with text."""
    app = make()
    app.add_route("/text", Text())
    return app


def hundred() -> falcon.App[falcon.Request, falcon.Response]:
    """Have 99 more routes beside the one asked for."""
    app = items()
    for number in range(99):
        rule = f"/plain{number}/list" if number % 2 else f"/some{number}/{{number:int}}/detail"
        app.add_route(rule, Never())
    return app


def posted() -> falcon.App[falcon.Request, falcon.Response]:
    """Read the JSON of the body."""
    app = make()
    app.add_route("/orders", Orders())
    return app


def hooked() -> falcon.App[falcon.Request, falcon.Response]:
    """Have middleware before the responder and after it."""
    app = items()
    app.add_middleware(Tenant())
    return app
