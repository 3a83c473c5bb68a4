"""Bearer tokens of Auth0, verified here by the tenant's keys, and the login there."""

from __future__ import annotations

from buttress.auth0.decorators import (
    auth0_check,
    auth0_login,
    build_state,
    check_state,
    has_scopes,
    mozilla_accept_token,
    requires_auth,
)
from buttress.auth0.extension import Auth0, Auth0Extension
from buttress.auth0.settings import Auth0Settings

__all__ = [
    # the extension
    "Auth0",
    "Auth0Extension",
    "Auth0Settings",
    # what views ask for
    "has_scopes",
    "mozilla_accept_token",
    "requires_auth",
    # the login at the tenant
    "auth0_check",
    "auth0_login",
    "build_state",
    "check_state",
]
