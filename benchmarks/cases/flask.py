"""The cases as a user of Flask writes them; a `Service` takes the same functions."""

from __future__ import annotations

from flask import Flask, g, jsonify, request, session
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

Plain = dict[str, object]


def items(app: Flask) -> None:
    """Return a dictionary that holds an integer of the path."""

    @app.get("/items/<int:number>")
    def item(number: int) -> Plain:
        return {"id": number, "name": "item"}


def jsonified(app: Flask) -> None:
    """Return what ``jsonify`` made."""

    @app.get("/items/<int:number>")
    def item(number: int) -> Response:
        return jsonify(id=number, name="item")


def text(app: Flask) -> None:
    """Return text."""

    @app.get("/text")
    def hello() -> str:
        return "Hello, world"


def hundred(app: Flask) -> None:
    """Have 99 more routes, half of them with a parameter, before and after the one asked for."""
    for number in range(99):
        if number == 50:
            items(app)
        rule = f"/plain{number}/list" if number % 2 else f"/some{number}/<int:number>/detail"
        app.add_url_rule(rule, f"view{number}", _never)


def posted(app: Flask) -> None:
    """Read the JSON of the body."""

    @app.post("/orders")
    def order() -> Plain:
        return {"lines": len(request.get_json()["lines"])}


def hooked(app: Flask) -> None:
    """Have one hook before the view and one after it."""
    items(app)

    @app.before_request
    def note() -> None:
        g.tenant = "one"

    @app.after_request
    def mark(response: Response) -> Response:
        response.headers["X-Tenant"] = g.tenant
        return response


def remembered(app: Flask) -> None:
    """Read the session."""

    @app.get("/me")
    def me() -> Plain:
        return {"user": session["user"]}


def _never(**_: int) -> ResponseReturnValue:
    raise AssertionError("no request is for this view")
