"""``/summary``: what is open today."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from msgspec import to_builtins

from piste.app.summary import services
from piste.app.summary.constants import API_NAME, URL_PREFIX

blueprint = Blueprint(API_NAME, __name__, url_prefix=URL_PREFIX)


@blueprint.get("")
def show_summary() -> Any:
    """Count what is open."""
    return to_builtins(services.summary())
