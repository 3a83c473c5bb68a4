"""The types of a Gnar app, as an editor and mypy see them; checked by mypy, never run."""

from __future__ import annotations

from typing import assert_type

from buttress.gnar import GnarApp
from buttress.log.extension import Log


def gnar() -> None:
    """The documented attributes are typed, and so are those of a service."""
    app = GnarApp("piste", production=True, port=8000, sqs=[{"queue_name": "gnar-queue"}])
    assert_type(app.flask, GnarApp)
    assert_type(app.env("SNOW", "0"), str)
    assert_type(app.display_name, str)
    assert_type(app.log, Log)
