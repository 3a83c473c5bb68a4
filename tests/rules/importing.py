"""What a file imports of ours: at its top, when it runs, and for types only."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tests.rules.source import Source


@dataclass(frozen=True)
class Import:
    """Hold one import: where, of which module, and whether only when a function runs."""

    source: Source
    node: ast.AST
    target: str
    lazy: bool

    @property
    def place(self) -> str:
        """Name the import as file:line."""
        return self.source.at(self.node)


def imports(source: Source, modules: Collection[str]) -> list[Import]:
    """List the imports that happen at run time, those under ``TYPE_CHECKING`` left out.

    A target is the longest name that is one of ``modules``, or else the name as written.
    """
    return list(_walk(source, source.tree.body, modules, lazy=False))


def _walk(
    source: Source, body: list[ast.stmt], modules: Collection[str], *, lazy: bool
) -> Iterator[Import]:
    for node in body:
        for target in _targets(source, node, modules):
            yield Import(source, node, target, lazy)
        in_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for block in _blocks(node):
            yield from _walk(source, block, modules, lazy=lazy or in_function)


def _targets(source: Source, node: ast.stmt, modules: Collection[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    origin = _origin(source, node)
    inner = [f"{origin}.{alias.name}" for alias in node.names]
    return sorted({name if name in modules else origin for name in inner})


def _origin(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = source.name.split(".")
    up = node.level - (1 if source.is_package else 0)
    return ".".join([*parts[: len(parts) - up], *filter(None, [node.module])])


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Give the inner blocks of a statement, without the one that is for types only."""
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        yield node.orelse
        return
    for field in ("body", "orelse", "finalbody"):
        yield getattr(node, field, [])
    for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield handler.body
