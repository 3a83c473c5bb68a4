"""The public types, as an editor and mypy see them; checked by mypy, never run."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, assert_type

from msgspec import Meta

from buttress import Code, Config, Extension, Problem, Secret, Section, Service, create_app, every
from buttress.health.extension import Health
from buttress.web.cors import Cors

Mode = Literal["production", "development", "testing"]


class SnowSettings(Section):
    """Settings of a third party's extension."""

    depth: Annotated[int, Meta(description="How deep it is, in cm.", ge=0)] = 0


class Snow:
    """What the extension builds."""


class SnowExtension(Extension[SnowSettings, Snow]):
    """A third party's extension."""

    name: ClassVar[str] = "snow"
    settings: ClassVar[type[Section] | None] = SnowSettings

    def build(self, app: Service, settings: SnowSettings) -> Snow:
        """Use the typed settings."""
        assert_type(settings.depth, int)
        return Snow()


@every(seconds=30)
def measure(station: str) -> float:
    """Keep its type under the mark."""
    return float(len(station))


def check_service(app: Service) -> None:
    """Give the service and its parts their types."""
    assert_type(create_app("shop", extensions=["log", SnowExtension]), Service)
    assert_type(app.mode, Mode)
    assert_type(app.health, Health)
    assert_type(app.cors, Cors)
    assert_type(app.use(SnowExtension), Snow)


def check_settings(app: Service) -> None:
    """Give the sections of the core and of the built-in extensions their types."""
    assert_type(app.settings.service.mode, Mode)
    assert_type(app.settings.flask.secret_key, Secret | None)
    assert_type(app.settings.serving.port, int)
    assert_type(app.settings.health.timeout, float)
    assert_type(Secret("x").reveal(), str)


def check_config() -> None:
    """Give what an ini file holds its types."""
    config = Config("shop.ini")
    assert_type(config.sections(), list[str])
    assert_type(config.items("shop"), list[tuple[str, object]])


def check_errors(problem: Problem) -> None:
    """Give the errors their types."""
    assert_type(Code.for_status(404), Code)
    assert_type(problem.code_name, str)


def check_marks() -> None:
    """Leave a marked function its own type."""
    assert_type(measure("col"), float)
