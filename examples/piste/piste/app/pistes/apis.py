"""``/pistes``: list them, look at one, change its state."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from msgspec import to_builtins

from buttress import auth
from piste.app.parameters import body_as, query_as
from piste.app.pistes import services
from piste.app.pistes.constants import API_NAME, URL_PREFIX

blueprint = Blueprint(API_NAME, __name__, url_prefix=URL_PREFIX)


@blueprint.get("")
def list_pistes() -> Any:
    """List the pistes, those of a difficulty, a lift or a state where the query says so."""
    return to_builtins(services.matching(query_as(services.Criteria)))


@blueprint.get("/<piste_id>")
def show_piste(piste_id: str) -> Any:
    """Show one piste."""
    return to_builtins(services.one(piste_id))


@blueprint.patch("/<piste_id>")
@auth.scopes("write:pistes")
def change_piste(piste_id: str) -> Any:
    """Open or close a piste, or say whether it is groomed."""
    return to_builtins(services.change(piste_id, body_as(services.Change)))
