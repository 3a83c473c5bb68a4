"""``from <package>.app.main import app``: how a running application is reached from its modules.

The name stands for the current application inside a context, else for the one of that
package that booted last, so several applications in one process do not mix.
"""

from __future__ import annotations

import sys
import threading
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import cast
from weakref import ReferenceType, ref

from flask import current_app, has_app_context
from werkzeug.local import LocalProxy

from buttress.discovery import tolerated
from buttress.errors import LifecycleError, SetupError
from buttress.lifecycle import State
from buttress.service import Service

_ENDED = (State.CLOSED, State.FAILED)

#: The applications of each package in the order of their boots, and the last that has not ended.
_booted: dict[str, list[ReferenceType[Service]]] = {}
_last: dict[str, Service] = {}
#: Held while a main module is loaded, so that applications that boot at once load it once.
_attaching = threading.RLock()


def attach_instance(app: Service) -> None:
    """Make ``app`` importable from ``<package>.app.main`` and ``<package>.main``.

    A main module that exists and was not loaded yet is loaded, once, under its real name.
    """
    _booted.setdefault(app.package, []).append(ref(app))
    _last[app.package] = app
    app.lifecycle.at_end.append(partial(_forget, app.package))
    for name in (f"{app.package}.app.main", f"{app.package}.main"):
        with _attaching, tolerated(app, name):
            module = sys.modules.get(name) or _alias_of_main(name) or _load(name, app.package)
            module.__dict__["app"] = attached(app.package)


def attached(package: str) -> Service:
    """Give the proxy that stands for the application of ``package``."""
    return cast(Service, LocalProxy(lambda: _application(package)))


def package_folder(package: str) -> str:
    """Find the folder of a package, with or without ``__init__.py``.

    Where its main file runs as a script, the package is made importable first. Raises
    `SetupError` where there is no such package.
    """
    if package == "__main__":
        raise SetupError(_NOT_A_PACKAGE.format("__main__"))
    top = package.partition(".")[0]
    if find_spec(top) is None:
        _replace_script_folder(top)
    spec = specification(package)
    if spec is None:
        raise SetupError(
            f"There is no package '{package}': give the import name of the application's package "
            "and start in the folder that holds it, or install it."
        )
    if not spec.submodule_search_locations:
        raise SetupError(_NOT_A_PACKAGE.format(package))
    return str(Path(next(iter(spec.submodule_search_locations))).absolute())


_NOT_A_PACKAGE = (
    "'{}' is a single file, and an application is a package of modules: give the name of a "
    "package, or use Service(__name__) in one file."
)


def specification(name: str) -> ModuleSpec | None:
    """Find a module without running it; ``None`` where it, or a package around it, is not there."""
    try:
        return find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return None
        raise


def _application(package: str) -> Service:
    if has_app_context():
        current = current_app._get_current_object()  # type: ignore[attr-defined]  # LocalProxy's own
        if isinstance(current, Service) and current.package == package:
            return current
    if package not in _last:
        raise LifecycleError(
            f"There is no application of {package} now: none has booted, or all are closed."
        )
    return _last[package]


def _forget(package: str) -> None:
    living = [it for it in map(_alive, _booted[package]) if it is not None]
    _booted[package] = [ref(it) for it in living]
    _last.pop(package, None)
    if living:
        _last[package] = living[-1]


def _alive(reference: ReferenceType[Service]) -> Service | None:
    app = reference()
    return None if app is None or app.lifecycle.state in _ENDED else app


def _replace_script_folder(top: str) -> None:
    script = Path(getattr(sys.modules.get("__main__"), "__file__", None) or "").resolve()
    folder = next((it for it in script.parents if it.name == top), None)
    if folder is not None:
        if sys.path and Path(sys.path[0]).resolve() == script.parent:
            del sys.path[0]
        sys.path.insert(0, str(folder.parent))


def _alias_of_main(name: str) -> ModuleType | None:
    """Enter ``__main__`` under its real name, so that no import runs its file again."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    spec = specification(name)
    if main is None or file is None or spec is None or spec.origin is None:
        return None
    if Path(spec.origin).resolve() != Path(file).resolve():
        return None
    sys.modules[name] = main
    return main


def _load(name: str, package: str) -> ModuleType:
    spec = specification(name)
    if spec is None or spec.loader is None:
        sys.modules[name] = module = ModuleType(name, f"Gives the application of {package}: `app`.")
        module.__spec__ = ModuleSpec(name, None)
        return module
    sys.modules[name] = module = module_from_spec(spec)
    module.__dict__["app"] = attached(package)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, module)
    return module
