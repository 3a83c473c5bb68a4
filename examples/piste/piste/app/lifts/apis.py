"""``/lifts``: list them, look at one, open or close it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from msgspec import to_builtins

from buttress import auth
from piste.app.lifts import services
from piste.app.lifts.constants import API_NAME, URL_PREFIX
from piste.app.parameters import body_as, query_as

blueprint = Blueprint(API_NAME, __name__, url_prefix=URL_PREFIX)


@blueprint.get("")
def list_lifts() -> Any:
    """List the lifts, those of a kind or a state where the query says so."""
    return to_builtins(services.matching(query_as(services.Criteria)))


@blueprint.get("/<lift_id>")
def show_lift(lift_id: str) -> Any:
    """Show one lift."""
    return to_builtins(services.one(lift_id))


@blueprint.patch("/<lift_id>")
@auth.scopes("write:lifts")
def change_lift(lift_id: str) -> Any:
    """Open or close a lift."""
    return to_builtins(services.change(lift_id, body_as(services.Change)))
