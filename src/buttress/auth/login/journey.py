"""One browser's way to an OpenID provider and back.

What binds the way back to the browser that went is one secret in a cookie. State, nonce and the
verifier of PKCE are derived from it, so nothing is kept here and any process may go on.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from secrets import token_urlsafe

#: Seconds that somebody may take at the provider.
LASTS = 900


class Journey:
    """A journey, as the cookie of the browser tells of it."""

    def __init__(self, secret: str, target: str) -> None:
        self._secret = secret
        self.target = target

    @classmethod
    def begin(cls, target: str) -> Journey:
        """Begin one that ends at a page of this site."""
        return cls(token_urlsafe(32), target)

    @classmethod
    def read(cls, cookie: str) -> Journey | None:
        """Read the cookie; ``None`` where it tells of none."""
        secret, _, target = cookie.partition(".")
        try:
            return cls(secret, urlsafe_b64decode(target).decode()) if len(secret) == 43 else None
        except ValueError:
            return None

    @property
    def cookie(self) -> str:
        """Write the cookie."""
        return f"{self._secret}.{urlsafe_b64encode(self.target.encode()).decode()}"

    @property
    def state(self) -> str:
        """Give what must come back."""
        return self._derived(b"state")

    def is_state(self, given: str) -> bool:
        """Tell whether it is what came back."""
        return hmac.compare_digest(given.encode(), self.state.encode())

    @property
    def nonce(self) -> str:
        """Give what the ID token must have."""
        return self._derived(b"nonce")

    @property
    def verifier(self) -> str:
        """Give what proves that the code was asked for here (RFC 7636, 4.1)."""
        return self._derived(b"verifier")

    def _derived(self, purpose: bytes) -> str:
        digest = hmac.digest(self._secret.encode(), purpose, sha256)
        return urlsafe_b64encode(digest).decode().rstrip("=")
