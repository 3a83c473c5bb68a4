"""Names that templates and their macros have, before the environment of templates is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from weakref import ref

if TYPE_CHECKING:
    from flask.templating import Environment

    from buttress.service import Service


class _Maker:
    """Stand for ``create_jinja_environment`` of one application, and add what is offered."""

    def __init__(self, app: Service) -> None:
        # The application has this as its method: a plain reference would be a cycle.
        self._app = ref(app)
        self._make = type(app).create_jinja_environment
        self.offered: dict[str, Callable[..., Any]] = {}

    def __call__(self) -> Environment:
        environment = self._make(cast("Service", self._app()))
        environment.globals.update(self.offered)
        return environment


def offer_to_templates(app: Service, name: str, value: Callable[..., Any]) -> None:
    """Give templates a function, unless they have one of that name.

    No environment is made for it, so that ``app.jinja_options`` can still be changed.
    """
    if "jinja_env" in app.__dict__:
        app.jinja_env.globals.setdefault(name, value)
        return
    maker = app.__dict__.get("create_jinja_environment")
    if not isinstance(maker, _Maker):
        maker = _Maker(app)
        app.create_jinja_environment = maker  # type: ignore[method-assign]  # of this one alone
    maker.offered[name] = value
