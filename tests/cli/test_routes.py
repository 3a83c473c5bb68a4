"""``buttress routes``."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.shop import SHOP, Run, Write

VIEW = """
    from flask import Blueprint
    from flask.views import MethodView

    blueprint = Blueprint("office", __name__)

    class Desk(MethodView):
        def get(self): ...
        def delete(self): ...

    blueprint.add_url_rule("/desk", view_func=Desk.as_view("desk"))
"""


def test_routes(shop: Path, run: Run) -> None:
    """Each route is shown with its methods, its endpoint and the module of its view."""
    rows = [line.split() for line in run("routes").stdout.splitlines()]
    assert rows[0] == ["RULE", "METHODS", "ENDPOINT", "MODULE"]
    assert ["/goods/<name>", "GET", "goods.show", "shop.api"] in rows


def test_json(project: Write, run: Run) -> None:
    """With --json the routes are a list; the module of a class is that of the class."""
    project({**SHOP, "shop/office.py": VIEW})
    rows = {row["rule"]: row for row in json.loads(run("routes", "--json").stdout)}
    assert rows["/desk"] == {
        "rule": "/desk",
        "methods": ["DELETE", "GET"],
        "endpoint": "office.desk",
        "module": "shop.office",
    }


def test_health_routes(shop: Path, run: Run) -> None:
    """The health routes, which Flask does not know, are listed too."""
    rows = {row["rule"]: row for row in json.loads(run("routes", "--json").stdout)}
    assert rows["/livez"] == {
        "rule": "/livez",
        "methods": ["GET"],
        "endpoint": "health",
        "module": "buttress.health.extension",
    }


def test_own_route_at_a_health_path(project: Write, run: Run) -> None:
    """A route of the application at such a path is listed instead."""
    project({**SHOP, "shop/office.py": VIEW.replace("/desk", "/livez")})
    rows = [row for row in json.loads(run("routes", "--json").stdout) if row["rule"] == "/livez"]
    assert [row["endpoint"] for row in rows] == ["office.desk"]
