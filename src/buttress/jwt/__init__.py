"""Tokens: signed, verified without leniency, renewed, refreshed and revoked."""

from __future__ import annotations

from buttress.jwt.extension import Jwt, JwtExtension
from buttress.jwt.key import Key, Keys, from_jwk, read_keys, secret
from buttress.jwt.refusal import TokenExpired, TokenRefused
from buttress.jwt.settings import JwtSettings
from buttress.jwt.verifier import Verified, Verifier

__all__ = [
    # the extension
    "Jwt",
    "JwtExtension",
    "JwtSettings",
    # verification on its own
    "Key",
    "Keys",
    "Verified",
    "Verifier",
    "from_jwk",
    "read_keys",
    "secret",
    # what is raised
    "TokenExpired",
    "TokenRefused",
]
