"""Why somebody who comes back from a provider is not logged in."""

from __future__ import annotations


class LoginRefused(Exception):
    """Raised when a login by OpenID Connect fails, for a reason for the log alone.

    ``problem`` is what the page says instead: ``failed``, ``cancelled`` or ``unknown``.
    """

    def __init__(self, reason: str, problem: str = "failed") -> None:
        super().__init__(reason)
        self.problem = problem
