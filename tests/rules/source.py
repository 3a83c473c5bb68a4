"""The source that the rules look at: files, syntax trees, functions, classes."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """Hold one Python file: its path below the repository, its dotted name and its text."""

    path: str
    text: str
    name: str = ""
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        """Parse the text."""
        return ast.parse(self.text, self.path)

    def at(self, node: ast.AST) -> str:
        """Name the place of ``node`` as file:line."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Defined:
    """Hold one function or class, the dotted name inside its file, and the class around it."""

    source: Source
    node: Definition
    name: str
    owner: ast.ClassDef | None = None

    @property
    def place(self) -> str:
        """Name the definition as file:line and dotted name."""
        return f"{self.source.at(self.node)} {self.name}"

    @property
    def is_top(self) -> bool:
        """Tell whether it stands at the top of the file."""
        return "." not in self.name

    @property
    def is_public(self) -> bool:
        """Tell whether no part of the name, nor of the module's, begins with an underscore."""
        parts = [*self.source.name.split("."), *self.name.split(".")]
        return not any(part.startswith("_") for part in parts)


@cache
def tracked() -> tuple[Path, ...]:
    """List the files that are, or would be, in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    paths = (ROOT / name for name in output.decode().split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Read the Python files of the repository below ``folders``."""
    found = (path for path in tracked() if path.suffix == ".py")
    return tuple(read(path) for path in found if _is_below(path, folders))


def library() -> tuple[Source, ...]:
    """Read the Python files of our distributions."""
    return tuple(it for it in sources("src", "apps") if "/tests/" not in it.path)


def our_code() -> tuple[Source, ...]:
    """Read every Python file that is not a test."""
    others = sources("tools", "examples", "benchmarks")
    return (*library(), *(it for it in others if "/test/" not in it.path))


def suite() -> tuple[Source, ...]:
    """Read the Python files of the tests."""
    return tuple(it for it in sources("tests", "apps") if "/tests/" in f"/{it.path}")


def read(path: Path) -> Source:
    """Read one file below the repository."""
    below = path.relative_to(ROOT)
    return Source(
        path=below.as_posix(),
        text=path.read_text(encoding="utf-8"),
        name=_dotted(below),
        is_package=path.name == "__init__.py",
    )


def definitions(source: Source) -> Iterator[Defined]:
    """List the functions and classes of a file, methods and inner ones included."""
    yield from _inside(source, source.tree.body, "", None)


def functions(found: Iterable[Source]) -> list[Defined]:
    """List the functions and methods of several files."""
    everything = (it for source in found for it in definitions(source))
    return [it for it in everything if not isinstance(it.node, ast.ClassDef)]


def body_length(node: Definition) -> int:
    """Count the lines of a body, from the first statement after the docstring to the last."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return _last_line(body[-1]) - body[0].lineno + 1 if body else 0


def decorators(node: Definition) -> set[str]:
    """Give the last names of the decorators: ``override`` for ``@typing.override``."""
    targets = (it.func if isinstance(it, ast.Call) else it for it in node.decorator_list)
    return {ast.unparse(target).rpartition(".")[2] for target in targets}


def _inside(
    source: Source, body: Iterable[ast.AST], prefix: str, owner: ast.ClassDef | None
) -> Iterator[Defined]:
    for node in body:
        if isinstance(node, Definition):
            name = f"{prefix}{node.name}"
            yield Defined(source, node, name, owner)
            inner = node if isinstance(node, ast.ClassDef) else None
            locals_ = "" if inner else "<locals>."
            yield from _inside(source, node.body, f"{name}.{locals_}", inner)
        else:
            yield from _inside(source, ast.iter_child_nodes(node), prefix, owner)


def _dotted(below: Path) -> str:
    parts = below.with_suffix("").parts
    if "src" in parts:
        parts = parts[parts.index("src") + 1 :]
    elif parts[0] == "examples":
        parts = parts[2:]
    return ".".join(parts[:-1] if parts and parts[-1] == "__init__" else parts)


def _is_below(path: Path, folders: tuple[str, ...]) -> bool:
    return path.relative_to(ROOT).parts[0] in folders


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno
