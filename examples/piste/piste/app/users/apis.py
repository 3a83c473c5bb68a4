"""``/users``, ``/me``, and logging in and out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_jwt_extended import jwt_required
from msgspec import to_builtins

from buttress import auth
from piste.app.main import app
from piste.app.parameters import body_as
from piste.app.users import services
from piste.app.users.constants import API_NAME, NOT_KEPT, SIGN_UPS

blueprint = Blueprint(API_NAME, __name__)


@blueprint.post("/users")
@app.limiter.limit(SIGN_UPS)
def sign_up() -> Any:
    """Make a user."""
    return to_builtins(services.sign_up(body_as(services.NewUser))), 201


@blueprint.get("/me")
@auth.required
def show_me() -> Any:
    """Show who makes the request, and what they may."""
    user = services.user_of(auth.principal.id)
    return to_builtins(services.profile(user, auth.principal.scopes))


@blueprint.post("/login")
def log_in() -> Any:
    """Give tokens for a name and a password."""
    return services.log_in(body_as(services.Credentials)), NOT_KEPT


@blueprint.post("/refresh")
@jwt_required(refresh=True)  # type: ignore[untyped-decorator]  # it has no types
def refresh() -> Any:
    """Give new tokens for a refresh token, which is used up."""
    return services.refresh(), NOT_KEPT


@blueprint.post("/logout")
@jwt_required()  # type: ignore[untyped-decorator]  # it has no types
def log_out() -> Any:
    """Refuse the tokens of this login from now on."""
    services.log_out()
    return "", 204
