"""A package of handlers becomes blueprints and marked functions."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Blueprint

from buttress.declare import EXTENSION_OF, Marked, marks
from buttress.errors import DiscoveryError, LifecycleError
from buttress.service import Service

logger = logging.getLogger("buttress.discovery")

#: Folders and files that hold no handlers.
NOT_FOLDERS = frozenset({"test", "tests", "migrations", "__pycache__", "static", "templates"})
NOT_FILES = frozenset({"__main__.py", "conftest.py", "setup.py"})
NOT_FILES_OF_A_PLAIN_PACKAGE = frozenset({"flask.py", "settings.py", "defaults.py"})


def discover(app: Service) -> None:
    """Import the modules of the application and register what they declare.

    Raises `DiscoveryError` for a module that does not load (in development it is logged and
    watched instead), for two blueprints of one name, and for marks that nothing takes up.
    """
    chosen = app.plan.blueprint_modules if app.plan else None
    names = module_names(app) if chosen is None else listed_names(app, chosen)
    for name in names:
        with tolerated(app, name):
            module = import_module(name)
            _register_blueprint(app, module, required=chosen is not None)
            _collect_marks(app, module)


def module_names(app: Service) -> list[str]:
    """Give the names of all modules below ``<package>.app``, or of the package without one."""
    root = Path(app.root_path)
    if (root / "app").is_dir():
        return list(_names_below(root / "app", f"{app.package}.app", NOT_FILES))
    return list(_names_below(root, app.package, NOT_FILES | NOT_FILES_OF_A_PLAIN_PACKAGE))


def listed_names(app: Service, chosen: str | Sequence[str]) -> list[str]:
    """Resolve the two formats of ``blueprint_modules``.

    ``user`` is ``<package>.app.user.apis`` and ``admin.views`` is ``<package>.app.admin.views``.
    Raises `DiscoveryError` for what is no name, and for a name given twice.
    """
    names: list[str] = []
    for item in [chosen] if isinstance(chosen, str) else chosen:
        if not all(map(str.isidentifier, str(item).split("."))):
            raise DiscoveryError(
                str(item), f"blueprint_modules: {item!r} is no module name such as 'user'."
            )
        name = f"{app.package}.app.{item}" + ("" if "." in item else ".apis")
        if name in names:
            raise DiscoveryError(name, f"blueprint_modules names {item!r} twice: name it once.")
        names.append(name)
    return names


@contextmanager
def tolerated(app: Service, module: str) -> Iterator[None]:
    """Let a module fail to load in development, where it is logged and watched until mended.

    Elsewhere the failure stops the boot with a `DiscoveryError`.
    """
    try:
        yield
    except (DiscoveryError, LifecycleError):
        raise
    except (Exception, SystemExit) as error:
        if app.mode != "development":
            raise DiscoveryError(
                module, f"{_place(module, error)}. Mend it and start again."
            ) from error
        app.broken[module] = traceback.format_exc()
        logger.error("%s did not load; it is watched until it is mended", module, exc_info=error)


def watched_files(app: Service) -> list[Path]:
    """Give every Python file of the application's package, broken ones included."""
    return sorted(Path(app.root_path).rglob("*.py"))


def _names_below(folder: Path, package: str, excluded: frozenset[str]) -> Iterator[str]:
    if (folder / "__init__.py").is_file():
        yield package
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and entry.name.isidentifier() and entry.name not in NOT_FOLDERS:
            yield from _names_below(entry, f"{package}.{entry.name}", NOT_FILES)
        elif _holds_handlers(entry) and entry.name not in excluded:
            yield f"{package}.{entry.stem}"


def _holds_handlers(file: Path) -> bool:
    plain = file.suffix == ".py" and file.stem.isidentifier()
    return plain and file.stem != "__init__" and not file.stem.startswith("test_")


def _register_blueprint(app: Service, module: ModuleType, *, required: bool) -> None:
    blueprint = module.__dict__.get("blueprint")
    if not isinstance(blueprint, Blueprint):
        if required or blueprint is not None:
            raise DiscoveryError(
                module.__name__, f"{module.__name__} has no flask.Blueprint named `blueprint`."
            )
        return
    known = app.blueprints.get(blueprint.name)
    if known is blueprint:
        return
    if known is not None:
        raise DiscoveryError(module.__name__, _same_name(app, blueprint, module))
    app.register_blueprint(blueprint)
    app.discovered[blueprint.name] = module.__name__
    logger.info("Listening on %s", blueprint.url_prefix)


def _same_name(app: Service, blueprint: Blueprint, module: ModuleType) -> str:
    first = app.discovered.get(blueprint.name, "the application itself")
    return (
        f"Two blueprints are named '{blueprint.name}', in {first} and in {module.__name__}: "
        "rename one of them."
    )


def _collect_marks(app: Service, module: ModuleType) -> None:
    for value in _own(module):
        for mark in marks(value):
            needed = EXTENSION_OF[mark.kind]
            if app.slot(needed) is None:
                raise DiscoveryError(
                    module.__name__,
                    f"{module.__name__}.{value.__name__} is marked @{mark.kind}, which needs the "
                    f"extension '{needed}': add it to extensions=[…].",
                )
            app.marked.append(Marked(value, mark))


def _own(module: ModuleType) -> Iterable[Any]:
    """Give the values of a module that it did not import, each once."""
    unique = {id(value): value for value in vars(module).values()}
    return [v for v in unique.values() if getattr(v, "__module__", None) == module.__name__]


def _place(module: str, error: BaseException) -> str:
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return f"{module} does not load: {what}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    at = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    known = sys.modules.get(module)
    return f"{module} does not load: {what}{at}" if known is None else f"{module}: {what}{at}"
