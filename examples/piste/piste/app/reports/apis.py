"""``/reports``: say how much snow there is."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from buttress import auth
from piste.app.parameters import body_as
from piste.app.reports import services
from piste.app.reports.constants import API_NAME, URL_PREFIX

blueprint = Blueprint(API_NAME, __name__, url_prefix=URL_PREFIX)


@blueprint.post("")
@auth.scopes("write:reports")
def take_report() -> Any:
    """Take a report, which is ingested in a moment."""
    return {"message": services.take(body_as(services.Report))}, 202
