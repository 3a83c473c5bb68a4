"""Services that exist for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from buttress import Service, create_app


class Make(Protocol):
    """A function that makes a service of the package ``shop``; it is closed after the test."""

    def __call__(
        self, name: str = "shop", *, extensions: list[Any] | None = None, **config: Any
    ) -> Service: ...


@contextmanager
def services(package: Callable[[Mapping[str, str]], Path]) -> Iterator[Make]:
    """Give a function that makes services by their settings, in testing mode."""
    made: list[Service] = []

    def make(name: str = "shop", *, extensions: list[Any] | None = None, **config: Any) -> Service:
        package({f"{name}/__init__.py": ""})
        app = create_app(name, extensions=extensions, config={"MODE": "testing", **config})
        made.append(app)
        return app

    yield make
    for app in reversed(made):
        app.close()
