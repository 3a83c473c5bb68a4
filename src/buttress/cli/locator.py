"""Where the application is: named by an option, by ``pyproject.toml``, or by its layout."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from buttress.errors import AppNotFound

#: The layouts, in the order in which they are tried: module below the package, and its file.
LAYOUTS = {
    ".app.main": "app/main.py",
    ".main": "main.py",
    ".flask": "flask.py",
    "": "__init__.py",
}

NOT_PACKAGES = frozenset({"tests", "test", "docs", "instance", "migrations", "node_modules"})

HOW = (
    'Name it with --app module:name, or in pyproject.toml with [tool.buttress] app = "module:name".'
)


@dataclass(frozen=True)
class Place:
    """A module and the name in it, or the call of a factory in it, that gives the application."""

    module: str
    name: str = "app"
    #: Whether ``name`` is called, with the literals that follow.
    factory: bool = False
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.module}:{self.name}" + ("()" if self.factory else "")

    @property
    def package(self) -> str:
        """Give the package of the application, by the layout that the module follows."""
        for suffix in LAYOUTS:
            if suffix and self.module.endswith(suffix):
                return self.module.removesuffix(suffix)
        return self.module


def locate(target: str | None, folder: Path) -> Place:
    """Find the application of ``folder``, without running any of its code.

    Raises `AppNotFound` where there is none, where there are several, and for a target that
    cannot be read.
    """
    if target is not None:
        return parse(target, "--app")
    written = _written(folder / "pyproject.toml")
    if written is not None:
        return parse(written, "pyproject.toml")
    return _by_layout(folder)


def parse(text: str, origin: str) -> Place:
    """Read ``module``, ``module:name`` or ``module:factory("literal", …)``."""
    module, _, expression = text.partition(":")
    try:
        return _place(module.strip(), expression.strip() or "app")
    except (SyntaxError, ValueError):
        raise AppNotFound(
            f"{origin}: {text!r} does not name an application: write module:name, such as "
            "shop.app.main:app, or module:factory(), such as shop:create_app()."
        ) from None


def search_folders(folder: Path) -> list[Path]:
    """Give the folders that hold packages: ``folder`` and its ``src``."""
    return [it for it in (folder, folder / "src") if it.is_dir()]


def make_searchable(folder: Path) -> None:
    """Put the folders that hold packages on ``sys.path``, before everything else."""
    for it in reversed(search_folders(folder.resolve())):
        if str(it) not in sys.path:
            sys.path.insert(0, str(it))


def _place(module: str, expression: str) -> Place:
    if not all(map(str.isidentifier, module.split("."))):
        raise ValueError(module)
    node = ast.parse(expression, mode="eval").body
    call = node if isinstance(node, ast.Call) else None
    target = call.func if call else node
    if not isinstance(target, ast.Name):
        raise ValueError(expression)
    if call is None:
        return Place(module, target.id)
    arguments = tuple(map(ast.literal_eval, call.args))
    keywords = {str(it.arg): ast.literal_eval(it.value) for it in call.keywords}
    return Place(module, target.id, True, arguments, keywords)


def _written(file: Path) -> str | None:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise AppNotFound(f"{file.name} cannot be read: {error}.") from None
    table = document.get("tool", {}).get("buttress", {})
    if not isinstance(table, dict):
        raise AppNotFound(f"{file.name}: [tool.buttress] must be a table.")
    for key in table:
        if key != "app":
            hint = " Did you mean 'app'?" if get_close_matches(key, ["app"]) else ""
            raise AppNotFound(f"{file.name}: [tool.buttress] knows only app, not {key!r}.{hint}")
    app = table.get("app")
    if not isinstance(app, str | None):
        raise AppNotFound(f'{file.name}: [tool.buttress] app must be a text, "module:name".')
    return app


def _by_layout(folder: Path) -> Place:
    packages = [it for root in search_folders(folder) for it in _packages(root)]
    for suffix, file in LAYOUTS.items():
        found = [it.name for it in packages if _follows(it, file)]
        if len(found) > 1:
            raise AppNotFound(
                f"There are several applications here: {', '.join(found)}. {HOW}", found
            )
        if found:
            return Place(found[0] + suffix)
    tried = [f"{it.name}{suffix}:app" for it in packages for suffix in LAYOUTS]
    raise AppNotFound(_nothing(tried, folder), tried)


def _nothing(tried: list[str], folder: Path) -> str:
    looked = f"tried {', '.join(tried)}" if tried else "there is no package here"
    return f"There is no application in {folder}: {looked}. {HOW}"


def _packages(root: Path) -> Iterator[Path]:
    for it in sorted(root.iterdir()):
        named = it.name.isidentifier() and it.name not in NOT_PACKAGES
        if named and any((it / file).is_file() for file in ("__init__.py", "app/main.py")):
            yield it


def _follows(package: Path, file: str) -> bool:
    path = package / file
    if not path.is_file():
        return False
    return file != "__init__.py" or _binds_app(path.read_text(encoding="utf-8", errors="replace"))


def _binds_app(text: str) -> bool:
    """Tell whether a module gives itself an ``app``; one that is no Python does not."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    targets = [
        target
        for node in body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return any(isinstance(it, ast.Name) and it.id == "app" for it in targets)
