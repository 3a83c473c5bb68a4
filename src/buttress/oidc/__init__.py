"""An OpenID provider, as those need it who take its word for who somebody is.

What it publishes is kept here, its ID tokens are verified by one set of rules, and what it is asked
has bounds. ``auth0`` and the login pages are built on it.
"""

from __future__ import annotations

from buttress.oidc.id_token import IdTokens
from buttress.oidc.jwks import ALGORITHMS, Jwks, KeyUnknown, ProviderKeys
from buttress.oidc.kept import Kept
from buttress.oidc.server import ProviderDown, ProviderRefuses, Server

__all__ = [
    # what it publishes
    "ALGORITHMS",
    "Jwks",
    "Kept",
    "KeyUnknown",
    "ProviderKeys",
    # whom it has seen
    "IdTokens",
    # what it is asked
    "ProviderDown",
    "ProviderRefuses",
    "Server",
]
