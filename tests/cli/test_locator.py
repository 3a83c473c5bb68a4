"""The locator: named, written, or found by its layout, and never by running code."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.cli.locator import Place, locate, make_searchable, parse
from buttress.errors import AppNotFound
from tests.cli.shop import Write

WRITTEN = '[tool.buttress]\napp = "shop.wsgi:service"\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("shop", Place("shop")),
        ("shop.app.main", Place("shop.app.main")),
        ("shop.app.main:service", Place("shop.app.main", "service")),
        ("shop:create_app()", Place("shop", "create_app", factory=True)),
        (
            'shop:create_app("x", port=1)',
            Place("shop", "create_app", True, ("x",), {"port": 1}),
        ),
    ],
)
def test_parse(text: str, place: Place) -> None:
    """A target is a module, with a name in it or the call of a factory with literals."""
    assert parse(text, "--app") == place


@pytest.mark.parametrize(
    "text",
    ["", ":app", "shop/app/main.py", "shop:a.b", "shop:f(x)", "shop:1", "shop:(", "shop:f(**x)"],
)
def test_parse_refuses(text: str) -> None:
    """Anything else is refused with an example of what to write."""
    with pytest.raises(AppNotFound, match=r"write module:name, such as shop\.app\.main:app"):
        parse(text, "--app")


def test_order(project: Write) -> None:
    """The option beats pyproject.toml, which beats the layout."""
    folder = project({"pyproject.toml": WRITTEN, "shop/main.py": ""})
    assert str(locate("a:b", folder)) == "a:b"
    assert str(locate(None, folder)) == "shop.wsgi:service"
    (folder / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    assert str(locate(None, folder)) == "shop.main:app"


@pytest.mark.parametrize("source", ["", "src/"])
@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("shop/app/main.py", "shop.app.main"),
        ("shop/main.py", "shop.main"),
        ("shop/flask.py", "shop.flask"),
        ("shop/__init__.py", "shop"),
    ],
)
def test_layouts(project: Write, source: str, file: str, module: str) -> None:
    """Each layout is found, in the current folder and in src."""
    folder = project({source + file: "app = None", f"{source}docs/main.py": "raise OSError"})
    place = locate(None, folder)
    assert (place.module, place.name, place.package) == (module, "app", "shop")


def test_layouts_in_order(project: Write) -> None:
    """The layouts are tried in the order of the design."""
    files = ["app/main.py", "main.py", "flask.py", "__init__.py"]
    folder = project({f"shop/{file}": "app: int = 1" for file in files})
    found = []
    for file in files:
        found.append(str(locate(None, folder)))
        (folder / "shop" / file).write_text("")
        if file != "__init__.py":
            (folder / "shop" / file).unlink()
    assert found == ["shop.app.main:app", "shop.main:app", "shop.flask:app", "shop:app"]


def test_package_without_init(project: Write) -> None:
    """The layout of Gnar Gear needs no ``__init__.py`` at the top."""
    folder = project({"shop/app/main.py": ""})
    (folder / "shop" / "__init__.py").unlink()
    assert str(locate(None, folder)) == "shop.app.main:app"


def test_nothing_here(project: Write) -> None:
    """Where there is no application, the message says what was tried and what to do."""
    folder = project({"shop/views.py": "", "broken/__init__.py": "app = ("})
    with pytest.raises(AppNotFound) as caught:
        locate(None, folder)
    assert "shop.app.main:app" in caught.value.tried
    assert "tried broken.app.main:app" in str(caught.value)
    assert "--app module:name" in str(caught.value)


def test_several_here(project: Write) -> None:
    """Two applications of one layout are not guessed between."""
    folder = project({"shop/main.py": "", "office/main.py": ""})
    with pytest.raises(AppNotFound, match=r"several applications here: office, shop\..*--app"):
        locate(None, folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.buttress", "pyproject.toml cannot be read"),
        ("[tool]\nbuttress = 1", "must be a table"),
        ("[tool.buttress]\napp = 1", "app must be a text"),
        ("[tool.buttress]\nap = 'x'", "knows only app, not 'ap'. Did you mean 'app'?"),
        ("[tool.buttress]\napp = 'a b'", "pyproject.toml: 'a b' does not name"),
    ],
)
def test_bad_pyproject(project: Write, text: str, message: str) -> None:
    """A mistake in pyproject.toml is named."""
    folder = project({"pyproject.toml": text, "shop/main.py": ""})
    with pytest.raises(AppNotFound) as caught:
        locate(None, folder)
    assert message in str(caught.value)


def test_make_searchable(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder and its src go first on the path, once."""
    folder = project({"src/shop/main.py": ""})
    monkeypatch.setattr("sys.path", path := ["x"])
    make_searchable(folder)
    make_searchable(Path())
    assert path == [str(folder), str(folder / "src"), "x"]
