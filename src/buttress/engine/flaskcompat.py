"""Everything that Buttress takes from Flask's private side, in one place.

Flask is pinned ``<3.2``; a newer one is a change to this file.
"""

from __future__ import annotations

from flask import Flask


class RegistrationGuard(Flask):
    """A `flask.Flask` whose subclass decides until when registration is allowed."""

    def refuse_registration(self, what: str) -> None:
        """Raise where ``what``, a registering method, may no longer be called."""

    def _check_setup_finished(self, f_name: str) -> None:
        self.refuse_registration(f_name)
        super()._check_setup_finished(f_name)
