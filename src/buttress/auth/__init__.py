"""Identity: who makes a request, what they may, and who may log in.

An authenticator turns a request into a `Principal`, user backends know names and passwords, and
routes say what they ask for by `required`, `scopes` and `public`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app
from werkzeug.local import LocalProxy

from buttress.auth.authenticators import Authenticator, Note, Refused, Trace
from buttress.auth.policy import Policy
from buttress.auth.principal import ANONYMOUS, Principal
from buttress.auth.routes import public, required, scopes
from buttress.auth.users import UnknownUser, User, UserError, UserExists, Users, UsersReadOnly

if TYPE_CHECKING:
    from buttress.service import Service

__all__ = [
    # what routes ask for
    "public",
    "required",
    "scopes",
    # who makes a request
    "ANONYMOUS",
    "Principal",
    "principal",
    # how they are recognised
    "Authenticator",
    "Note",
    "Policy",
    "Refused",
    "Trace",
    # who may log in
    "UnknownUser",
    "User",
    "UserError",
    "UserExists",
    "Users",
    "UsersReadOnly",
]

#: Who makes this request; false for nobody. Reading it raises 401 for credentials that are wrong.
principal = cast("Principal", LocalProxy(lambda: cast("Service", current_app).auth.principal))
