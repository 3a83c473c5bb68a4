"""The application of a command: found, loaded, booted, and closed afterwards."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from flask import Flask
from werkzeug.local import LocalProxy

from buttress.cli.locator import Place, locate, make_searchable
from buttress.config import COMMAND_LINE
from buttress.errors import AppNotFound, ButtressError, DiscoveryError
from buttress.loading import recording
from buttress.log.output import aside
from buttress.service import Service


def load_app(target: str | None, settings: Mapping[str, object]) -> Service:
    """Find the application of the current folder, load it and boot it.

    ``settings`` are those of the command line. Raises `SetupError` for whatever must be mended.
    """
    folder = Path.cwd()
    make_searchable(folder)
    place = locate(target, folder)
    token = COMMAND_LINE.set(settings)
    try:
        with explained(place.module):
            app = obtain(place)
            app.boot()
    finally:
        COMMAND_LINE.reset(token)
    return app


@contextmanager
def opened(target: str | None, settings: Mapping[str, object]) -> Iterator[Service]:
    """Load the application for a command that serves nothing, and close it afterwards.

    Standard output belongs to the command: log lines go to standard error, and until the
    application is there only warnings. Those of the configuration are told plainly.
    """
    with quiet(), unlogged("buttress.boot"):
        app = load_app(target, settings)
    for warning in app.configuration.warnings:
        click.echo(f"warning: {warning}", err=True)
    with aside():
        try:
            yield app
        finally:
            with quiet():
                app.close()


@contextmanager
def quiet() -> Iterator[None]:
    """Send what is printed to standard error, and log nothing below a warning."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        logging.disable(before)


@contextmanager
def unlogged(name: str) -> Iterator[None]:
    """Drop what one logger is given."""
    logger = logging.getLogger(name)
    logger.addFilter(_nothing)
    try:
        yield
    finally:
        logger.removeFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False


def obtain(place: Place) -> Service:
    """Load the module of a place and take the application out of it.

    Raises `AppNotFound` where the module or the application is not there.
    """
    with recording() as recorded:
        module = _import(place)
        found = getattr(module, place.name, None)
        if place.factory and callable(found):
            found = found(*place.arguments, **place.keywords)
    if found is None and recorded:
        found = recorded[-1]
    if isinstance(found, LocalProxy):
        found = found._get_current_object()
    if isinstance(found, Service):
        return found
    raise AppNotFound(_no_application(place, module, found))


def _import(place: Place) -> ModuleType:
    try:
        return import_module(place.module)
    except ModuleNotFoundError as error:
        if error.name and f"{place.module}.".startswith(f"{error.name}."):
            raise AppNotFound(
                f"There is no module '{error.name}' for the application {place}: check the name, "
                "and start in the folder that holds the package.",
                [str(place)],
            ) from None
        raise


@contextmanager
def explained(module: str) -> Iterator[None]:
    """Turn whatever the application's own code raises into a `DiscoveryError` that says where."""
    try:
        yield
    except ButtressError:
        raise
    except (Exception, SystemExit) as error:
        raise DiscoveryError(
            module, f"{module} does not load: {_reason(error)}. Mend it and start again."
        ) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.msg} ({error.filename}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [it for it in frames if _is_own(Path(it.filename))] or frames
    return f"{type(error).__name__}: {error} ({own[-1].filename}:{own[-1].lineno})"


def _is_own(file: Path) -> bool:
    """Tell whether a file is the application's: below the current folder and not installed."""
    return file.is_relative_to(Path.cwd()) and "site-packages" not in file.parts


def _no_application(place: Place, module: ModuleType, found: Any) -> str:
    if found is None and place.name not in vars(module):
        return f"{place.module} has no '{place.name}': assign the application to that name."
    if place.factory:
        return f"{place} gave {_kind(found)}, not an application: return what create_app made."
    if isinstance(found, Flask):
        return f"{place} is a plain flask.Flask: make it with buttress.create_app."
    if callable(found):
        return f"{place} is a function: write {place}() to have it called."
    return f"{place} is {_kind(found)}, not an application: make it with buttress.create_app."


def _kind(found: object) -> str:
    return "None" if found is None else f"a {type(found).__name__}"
