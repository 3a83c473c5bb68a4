"""The options that every command of an application has, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import click

from buttress.cli.application import opened
from buttress.service import Service

F = TypeVar("F", bound=Callable[..., Any])

TARGET = "buttress.target"
SETTINGS = "buttress.settings"


def app_option(command: F) -> F:
    """Give a command the option ``--app``."""
    return click.option(
        "--app",
        metavar="MODULE:NAME",
        expose_value=False,
        is_eager=True,
        callback=_keep_target,
        help="The application, such as shop.app.main:app or shop:create_app().",
    )(command)


def app_options(command: F) -> F:
    """Give a command the options ``--app``, ``--dev`` and ``--set``."""
    pairs = click.option(
        "--set",
        "pairs",
        metavar="KEY=VALUE",
        multiple=True,
        expose_value=False,
        callback=_keep_pairs,
        help="Set a key, above every other source. Repeatable.",
    )
    development = click.option(
        "--dev",
        is_flag=True,
        expose_value=False,
        callback=_keep_dev,
        help="Development: the same as --set MODE=development.",
    )
    return app_option(development(pairs(command)))


def target() -> str | None:
    """Give what ``--app`` said, before or after the command's name."""
    value: str | None = click.get_current_context().meta.get(TARGET)
    return value


def settings(**options: object) -> Mapping[str, object]:
    """Give the settings of the command line, with those of a command's own options.

    An option that was not given is ``None``. Raises `click.UsageError` for a key given twice.
    """
    context = click.get_current_context()
    for key, value in options.items():
        if value is not None:
            _keep(context, key, value)
    return dict(context.meta.get(SETTINGS, {}))


def the_app() -> AbstractContextManager[Service]:
    """Open the application that the options name, for as long as the command takes."""
    return opened(target(), settings())


def _keep_target(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[TARGET] = value


def _keep_dev(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        _keep(context, "MODE", "development")


def _keep_pairs(context: click.Context, _: click.Parameter, value: tuple[str, ...]) -> None:
    for pair in value:
        key, separator, text = pair.partition("=")
        if not separator or not key.isidentifier() or key != key.upper():
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE with a key in upper case.")
        _keep(context, key, text)


def _keep(context: click.Context, key: str, value: object) -> None:
    kept = context.meta.setdefault(SETTINGS, {})
    if kept.get(key, value) != value:
        raise click.UsageError(f"{key} is given twice, {kept[key]!r} and {value!r}: give it once.")
    kept[key] = value
