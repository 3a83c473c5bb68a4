"""What the broker refuses for good: a mistake to mend, not an outage."""

from __future__ import annotations

from buttress.errors import ButtressError


class PulseRefused(ButtressError):
    """Raised when the broker refuses what is asked, now and later; see ``reason``.

    It may lack a permission, or something else of that name is already there.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, reason)
        self.what, self.reason = what, reason

    def __str__(self) -> str:
        return f"The broker refuses {self.what}: {self.reason}"
