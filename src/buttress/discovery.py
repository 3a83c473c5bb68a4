"""A package of handlers becomes blueprints and marked functions."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from inspect import isroutine
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from flask import Blueprint

from buttress.declare import EXTENSION_OF, Marked, marks
from buttress.engine.flaskcompat import nested_in
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
    found: list[Found] = []
    for name in names:
        with tolerated(app, name):
            module = import_module(name)
            found += _blueprint_of(module, required=chosen is not None)
            _collect_marks(app, module)
    for each in _outermost(found):
        with tolerated(app, each.module):
            _register(app, each)


class Found(NamedTuple):
    """A blueprint and the module that has it."""

    module: str
    blueprint: Blueprint


def handlers_root(app: Service) -> tuple[Path, str]:
    """Give the folder and the package of the handlers: ``<package>.app``, or the package."""
    root = Path(app.root_path)
    inner = (root / "app").is_dir()
    return (root / "app", f"{app.package}.app") if inner else (root, app.package)


def module_names(app: Service) -> list[str]:
    """Give the names of all modules that may hold handlers."""
    folder, package = handlers_root(app)
    plain = NOT_FILES_OF_A_PLAIN_PACKAGE if package == app.package else frozenset()
    return list(_names_below(folder, package, NOT_FILES | plain, set()))


def listed_names(app: Service, chosen: str | Sequence[str]) -> list[str]:
    """Resolve the two formats of ``blueprint_modules``.

    ``user`` is ``<package>.app.user.apis`` and ``admin.views`` is ``<package>.app.admin.views``;
    without a folder ``app``, ``.app`` is left out. Raises `DiscoveryError` for what is no name,
    and for a name given twice.
    """
    names: list[str] = []
    for item in [chosen] if isinstance(chosen, str) else chosen:
        if not all(map(str.isidentifier, str(item).split("."))):
            raise DiscoveryError(
                str(item), f"blueprint_modules: {item!r} is no module name such as 'user'."
            )
        name = f"{handlers_root(app)[1]}.{item}" + ("" if "." in item else ".apis")
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
            sentence = app.configuration.conceal(_place(module, error))
            raise DiscoveryError(module, f"{sentence}. Mend it and start again.") from error
        app.broken[module] = traceback.format_exc()
        logger.error("%s did not load; it is watched until it is mended", module, exc_info=error)


def watched_files(app: Service) -> list[Path]:
    """Give every Python file of the application's package, broken ones included."""
    return sorted(Path(app.root_path).rglob("*.py"))


def _names_below(
    folder: Path, package: str, excluded: frozenset[str], seen: set[Path]
) -> Iterator[str]:
    seen.add(folder.resolve())
    if (folder / "__init__.py").is_file():
        yield package
    for entry in sorted(folder.iterdir()):
        if _is_package(entry) and entry.resolve() not in seen:
            yield from _names_below(entry, f"{package}.{entry.name}", NOT_FILES, seen)
        elif _holds_handlers(entry) and entry.name not in excluded:
            yield f"{package}.{entry.stem}"


def _is_package(folder: Path) -> bool:
    return folder.is_dir() and folder.name.isidentifier() and folder.name not in NOT_FOLDERS


def _holds_handlers(file: Path) -> bool:
    plain = file.suffix == ".py" and file.stem.isidentifier()
    return plain and file.stem != "__init__" and not file.stem.startswith("test_")


def _blueprint_of(module: ModuleType, *, required: bool) -> list[Found]:
    blueprint = module.__dict__.get("blueprint")
    if isinstance(blueprint, Blueprint):
        return [Found(module.__name__, blueprint)]
    if required or blueprint is not None:
        raise DiscoveryError(
            module.__name__, f"{module.__name__} has no flask.Blueprint named `blueprint`."
        )
    return []


def _outermost(found: list[Found]) -> list[Found]:
    """Leave out re-exports, and what another blueprint registers with its own prefix and hooks."""
    nested = {id(inner) for each in found for inner in nested_in(each.blueprint)}
    unique: dict[int, Found] = {}
    for each in found:
        unique.setdefault(id(each.blueprint), each)
    return [each for key, each in unique.items() if key not in nested]


def _register(app: Service, found: Found) -> None:
    blueprint = found.blueprint
    if any(blueprint is known for known in app.blueprints.values()):
        return
    if blueprint.name in app.blueprints:
        raise DiscoveryError(found.module, _same_name(app, found))
    app.register_blueprint(blueprint)
    app.discovered[blueprint.name] = found.module
    logger.info("Listening on %s", blueprint.url_prefix or "/")


def _same_name(app: Service, found: Found) -> str:
    name = found.blueprint.name
    first = app.discovered.get(name, "the application itself")
    return f"Two blueprints are named '{name}', in {first} and in {found.module}: rename one."


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
    """Give the functions of a module that it did not import, each once."""
    unique = {id(value): value for value in vars(module).values() if isroutine(value)}
    return [it for it in unique.values() if getattr(it, "__module__", None) == module.__name__]


def _place(module: str, error: BaseException) -> str:
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return f"{module} does not load: {what}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    at = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    known = sys.modules.get(module)
    return f"{module} does not load: {what}{at}" if known is None else f"{module}: {what}{at}"
