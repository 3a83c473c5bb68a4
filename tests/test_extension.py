"""The extension protocol: how extensions are found, adapted and put in order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from buttress import EXTENSIONS, Extension, ExtensionError, create_app
from buttress.extension import (
    BUILT_IN,
    DEFAULT_EXTENSIONS,
    PROVIDED_BY,
    from_module,
    in_required_order,
    load_extensions,
)

Package = Callable[[Mapping[str, str]], Path]


def extension(name: str, *requires: str) -> Extension[Any, Any]:
    def build(self: Extension[Any, Any], app: Any, settings: Any) -> str:
        return f"built {name}"

    body = {"name": name, "build": build, "requires": lambda self, settings: requires}
    made: type[Extension[Any, Any]] = type(name, (Extension,), body)
    return made()


def order(*extensions: Extension[Any, Any]) -> list[str]:
    return [each.name for each in in_required_order(extensions, lambda name: None)]


@pytest.fixture
def module() -> Iterator[ModuleType]:
    """Give an empty module ``snowgun`` that can be imported."""
    made = ModuleType("snowgun")
    sys.modules["snowgun"] = made
    yield made
    del sys.modules["snowgun"]


def test_the_canonical_order_is_public() -> None:
    """Users may rely on the order as documented."""
    assert EXTENSIONS == (
        "log", "web", "security", "cors", "templates", "health", "limiter", "cache", "db", "auth",
        "jwt", "auth0", "api", "peers", "mail", "queues", "pulse", "schedule", "metrics", "console",
    )  # fmt: skip
    assert EXTENSIONS[: len(DEFAULT_EXTENSIONS)] == DEFAULT_EXTENSIONS


def test_nothing_wanted_means_the_default_set() -> None:
    """None is the set that needs no package and no server."""
    assert tuple(each.name for each in load_extensions(None)) == DEFAULT_EXTENSIONS


def test_the_order_of_the_list_does_not_matter() -> None:
    """Extensions come in canonical order, third parties last."""
    snow = type(extension("snow"))
    names = [each.name for each in load_extensions([snow, "health", "web", "log"])]
    assert names == ["log", "web", "health", "snow"]


def test_an_empty_list_means_none() -> None:
    """A list means exactly those."""
    assert load_extensions([]) == []


def test_every_built_in_loads_under_its_name() -> None:
    """The table of built-in extensions is true."""
    assert [each.name for each in load_extensions(list(BUILT_IN))] == list(BUILT_IN)


def test_an_unknown_name_gets_a_suggestion() -> None:
    """A typing error is answered with the nearest name."""
    with pytest.raises(ExtensionError, match="no extension 'helth'. Did you mean 'health'?"):
        load_extensions(["helth"])


def test_a_name_without_a_neighbour_gets_the_list() -> None:
    """Where nothing is near, all names are given."""
    with pytest.raises(ExtensionError, match="There are: auth, auth0, cache, cors, db"):
        load_extensions(["xyzzy"])


def test_an_extension_of_a_later_version_is_told_apart() -> None:
    """A canonical name that is not built yet is no typing error."""
    later = next(name for name in EXTENSIONS if name not in BUILT_IN)
    with pytest.raises(ExtensionError, match=f"no extension '{later}' yet"):
        load_extensions([later])


def test_a_bare_string_is_not_a_list() -> None:
    """extensions="log" would be three letters."""
    with pytest.raises(ExtensionError, match=r"write a list, \['log'\]"):
        load_extensions("log")


def test_one_name_twice_is_refused() -> None:
    """Two extensions cannot both be app.log."""
    with pytest.raises(ExtensionError, match="'log' is given twice"):
        load_extensions(["log", "log"])


@pytest.mark.parametrize("thing", [3, object, Extension])
def test_what_is_no_extension_is_refused(thing: Any) -> None:
    """A number, a foreign class and the protocol itself are not extensions."""
    with pytest.raises(ExtensionError):
        load_extensions([thing])


def test_a_missing_package_names_the_extra(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message can be pasted into a shell."""
    monkeypatch.setitem(BUILT_IN, "cache", "tests.needs_a_package:Nothing")
    needs = ModuleNotFoundError("No module named 'redis'", name="redis")
    monkeypatch.setattr("buttress.extension.import_module", raising(needs))
    with pytest.raises(
        ExtensionError, match=r"needs the package 'redis': pip install 'buttress\[cache\]'"
    ):
        load_extensions(["cache"])


def test_a_third_party_is_found_by_its_entry_point(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed packages offer extensions under a name."""
    module.__dict__["SnowGun"] = type(extension("snowgun"))
    entry = EntryPoint("snowgun", "snowgun:SnowGun", "buttress.extensions")
    monkeypatch.setattr("buttress.extension.metadata.entry_points", lambda **kw: [entry])
    assert [each.name for each in load_extensions(["snowgun"])] == ["snowgun"]


def test_a_path_names_a_module_or_a_class(module: ModuleType) -> None:
    """``module:Class`` works without an entry point."""
    module.__dict__["SnowGun"] = type(extension("snow"))
    assert load_extensions(["snowgun:SnowGun"])[0].name == "snow"
    with pytest.raises(ExtensionError, match="snowgun has no 'Cannon'"):
        load_extensions(["snowgun:Cannon"])


def test_requirements_come_first() -> None:
    """A third party follows what it requires, and nothing else moves."""
    assert order(extension("a", "c"), extension("b"), extension("c")) == ["c", "a", "b"]


def test_a_missing_requirement_says_what_to_add() -> None:
    """The list means exactly those, so nothing is added silently."""
    with pytest.raises(ExtensionError, match=r"'queues' requires 'db': add it to extensions"):
        order(extension("queues", "db"))


def test_a_ring_of_requirements_is_printed() -> None:
    """The ring itself is the message."""
    with pytest.raises(ExtensionError, match="a → b → a"):
        order(extension("a", "b"), extension("b", "a"))


def test_a_module_needs_init_app() -> None:
    """The documented form is checked."""
    with pytest.raises(ExtensionError, match=r"'sys' is no extension: it has no init_app\(app\)"):
        from_module(sys)


def test_a_module_becomes_an_extension(module: ModuleType, package: Package) -> None:
    """What init_app returns is app.<name>, and the module's hooks are called with it."""
    package({"shop/__init__.py": ""})
    seen: list[object] = []
    module.__dict__["init_app"] = lambda app: {"of": app.name}
    module.__dict__.update(start=seen.append, close=seen.append)
    app = create_app("shop", extensions=[module])
    assert app.snowgun == {"of": "shop"}
    app.start()
    app.close()
    assert seen == [{"of": "shop"}, {"of": "shop"}]


def test_a_module_must_return_its_object(module: ModuleType, package: Package) -> None:
    """None cannot be app.<name>."""
    package({"shop/__init__.py": ""})
    module.__dict__["init_app"] = lambda app: None
    with pytest.raises(ExtensionError, match="returned None: return what app.snowgun is"):
        create_app("shop", extensions=["snowgun:"])


def test_a_name_of_flask_is_refused(package: Package) -> None:
    """An extension never hides what Flask has."""
    package({"shop/__init__.py": ""})
    with pytest.raises(ExtensionError, match="cannot be named 'config'"):
        create_app("shop", extensions=[type(extension("config"))])


def test_use_gives_what_was_built(package: Package) -> None:
    """The class is the typed key."""
    package({"shop/__init__.py": ""})
    snow = type(extension("snow"))
    app = create_app("shop", extensions=[snow])
    assert app.use(snow) == app.snow == app.extensions["buttress"]["snow"] == "built snow"
    with pytest.raises(ExtensionError, match="shop has no"):
        app.use(type(extension("rain")))
    with pytest.raises(ExtensionError, match="shop has no"):
        app.use(type(extension("snow")))
    app.close()


def test_an_absent_built_in_says_why(package: Package) -> None:
    """Reading app.cache without the extension is an AttributeError with a reason."""
    package({"shop/__init__.py": ""})
    app = create_app("shop", extensions=[])
    with pytest.raises(AttributeError, match="shop has no 'cache': it is not among its extensions"):
        _ = app.cache
    assert not hasattr(app, "nonsense")


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*args: object) -> Any:
        raise error

    return fail


def test_what_extensions_provide() -> None:
    """The table of what extensions provide beside themselves is true."""
    found = {name: each.name for each in load_extensions(list(BUILT_IN)) for name in each.provides}
    assert found == PROVIDED_BY
