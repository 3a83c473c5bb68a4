"""Why a token is refused."""

from __future__ import annotations

from typing import Any

from jwt import ExpiredSignatureError, InvalidTokenError

from buttress.errors import ButtressError


class TokenRefused(ButtressError, InvalidTokenError):
    """Raised when a token is not to be trusted.

    ``reason`` is one sentence for the log and for whoever made the token; it has nothing of the
    token in it. ``error`` is the code of RFC 6750, 3.1.
    """

    def __init__(self, reason: str, error: str = "invalid_token") -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


class TokenExpired(TokenRefused, ExpiredSignatureError):
    """Raised when a token is good but for its end; ``jwt_header`` and ``jwt_data`` are its own."""

    def __init__(self, header: dict[str, Any], claims: dict[str, Any]) -> None:
        super().__init__("Token has expired")
        self.jwt_header = header
        self.jwt_data = claims
