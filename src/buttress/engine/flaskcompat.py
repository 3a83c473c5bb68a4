"""Everything that Buttress takes from Flask's private side, in one place.

Flask is pinned ``<3.2``; a newer one is a change to this file.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from flask.sansio.blueprints import Blueprint as SansioBlueprint


class RegistrationGuard(Flask):
    """A `flask.Flask` whose subclass decides until when registration is allowed."""

    def refuse_registration(self, what: str) -> None:
        """Raise where ``what``, a registering method, may no longer be called."""

    def _check_setup_finished(self, f_name: str) -> None:
        self.refuse_registration(f_name)
        super()._check_setup_finished(f_name)


def nested_in(blueprint: SansioBlueprint) -> Iterator[SansioBlueprint]:
    """Give the blueprints that are registered on a blueprint, at any depth."""
    for inner, _ in blueprint._blueprints:
        yield inner
        yield from nested_in(inner)
