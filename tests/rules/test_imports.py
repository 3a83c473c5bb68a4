"""Rule 2: the import graph has no cycles, and each part imports only what it may."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from tests.rules.importing import Import, imports
from tests.rules.source import Source, library
from tests.rules.verdict import expect_none

# An import inside a function hides an edge of the graph: each one needs a reason.
LAZY: dict[tuple[str, str], str] = {}
APPS = ("stethoscope", "meteorpi", "piste")


def runtime(found: Iterable[Source]) -> list[Import]:
    """List the imports of several files at run time."""
    found = list(found)
    modules = {it.name for it in found}
    return [one for source in found for one in imports(source, modules)]


def cycle(found: Iterable[Source]) -> list[str]:
    """Give one cycle of the graph of imports at the top of files, or nothing."""
    found = list(found)
    graph: dict[str, set[str]] = {it.name: set() for it in found}
    for one in runtime(found):
        if not one.lazy and one.target in graph:
            graph[one.source.name].add(one.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def lazy_imports(found: Iterable[Source]) -> list[str]:
    """Name the imports of ours inside functions that are not on the list."""
    found = list(found)
    ours = {it.name for it in found}
    return [
        f"{one.place}: imports {one.target} inside a function; import it at the top, or give "
        "the reason in LAZY of tests/rules/test_imports.py"
        for one in runtime(found)
        if one.lazy and one.target in ours and (one.source.name, one.target) not in LAZY
    ]


def imports_of_errors(found: Iterable[Source]) -> list[str]:
    """Name the imports of ours in ``errors.py``."""
    return [
        f"{one.place}: errors.py imports {one.target}; it imports nothing of ours"
        for one in runtime(found)
        if one.source.name == "buttress.errors" and one.target.startswith("buttress")
    ]


def imports_of_apps(found: Iterable[Source]) -> list[str]:
    """Name the imports of an app in the core."""
    return [
        f"{one.place}: the core imports the app {one.target}; turn the dependency round"
        for one in runtime(found)
        if one.source.name.startswith("buttress") and one.target.partition(".")[0] in APPS
    ]


def imports_of_insides(found: Iterable[Source]) -> list[str]:
    """Name the imports by which an extension reaches into another extension's folder."""
    found = list(found)
    extensions = {it.name.rpartition(".")[0] for it in found if it.name.endswith(".extension")}
    extensions -= {"buttress"}
    return [
        f"{one.place}: reaches into {one.target}; import what {owner} makes public"
        for one in runtime(found)
        for owner in extensions
        if one.target.startswith(f"{owner}.")
        if _folder(one.source, extensions) not in {None, owner}
    ]


def _folder(source: Source, extensions: set[str]) -> str | None:
    return next((it for it in extensions if f"{source.name}.".startswith(f"{it}.")), None)


def module(name: str, text: str) -> Source:
    """Make a file of the core."""
    return Source(f"src/{name.replace('.', '/')}.py", text, name)


def test_no_cycles() -> None:
    """The imports at the top of our files make no cycle."""
    assert " -> ".join(cycle(library())) == "", "break the cycle of imports"


def test_no_unlisted_lazy_imports() -> None:
    """No function imports a module of ours without a reason on the list."""
    expect_none(lazy_imports(library()))


def test_listed_lazy_imports_exist() -> None:
    """Every entry of the list is still needed."""
    there = {(one.source.name, one.target) for one in runtime(library()) if one.lazy}
    assert LAZY.keys() - there == set()


def test_errors_imports_nothing_of_ours() -> None:
    """``errors.py`` imports nothing of ours."""
    expect_none(imports_of_errors(library()))


def test_core_imports_no_app() -> None:
    """The core imports no app."""
    expect_none(imports_of_apps(library()))


def test_extensions_import_public_names_only() -> None:
    """An extension imports only what another extension's folder makes public."""
    expect_none(imports_of_insides(library()))


def test_rule_sees_a_cycle() -> None:
    """The rule names a cycle in the order of its imports; imports for types make none."""
    first = module("buttress.a", "from buttress.b import x")
    second = module("buttress.b", "try:\n    from . import a\nexcept ImportError:\n    raise")
    typed = module("buttress.b", "if TYPE_CHECKING:\n    from buttress.a import y")
    assert sorted(set(cycle([first, second]))) == ["buttress.a", "buttress.b"]
    assert cycle([first, typed]) == []


def test_rule_sees_a_lazy_import() -> None:
    """The rule names an import inside a method, and lets other packages be."""
    text = "class A:\n    def f(self):\n        import granian\n        from buttress import b"
    found = lazy_imports([module("buttress.a", text), module("buttress.b", "")])
    assert [it.partition(" inside")[0] for it in found] == [
        "src/buttress/a.py:4: imports buttress.b"
    ]


def test_rule_sees_what_errors_imports() -> None:
    """The rule names an import of ours in ``errors.py``."""
    assert len(imports_of_errors([module("buttress.errors", "from . import web")])) == 1


def test_rule_sees_an_app() -> None:
    """The rule names an import of an app."""
    assert len(imports_of_apps([module("buttress.web", "from stethoscope.login import x")])) == 1


def test_rule_sees_reaching_inside() -> None:
    """The rule names an import from within another extension, not from its package."""
    files = [
        module(f"buttress.{name}", "")
        for name in ("extension", "web.extension", "health.extension")
    ]
    inside = module("buttress.web.cors", "from buttress.health.pages import x")
    public = module("buttress.web.cors", "from buttress.health import x")
    own = module("buttress.web.cors", "from buttress.web.settings import x")
    pages = module("buttress.health.pages", "")
    assert len(imports_of_insides([*files, pages, inside])) == 1
    assert imports_of_insides([*files, pages, public, own]) == []
